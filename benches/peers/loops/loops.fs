\ Three nested loops and a sum.
: main ( -- )
  0 251 1 do 251 1 do 401 1 do k j * i + 7 mod + loop loop loop . cr ;
main bye
