\ A text as bytes, enciphered one at a time.
26000 constant length-of
create text length-of allot
: key-byte ( n -- byte ) s" lemon" rot over mod nip + c@ ;
: encipher ( -- )
  length-of 0 do
    text i + dup c@ 97 - i key-byte 97 - + 26 mod 97 + swap c!
  loop ;
: fill-text ( -- ) length-of 0 do i 26 mod 97 + text i + c! loop ;
: sum ( -- n ) 0 text length-of bounds do i c@ + loop ;
: main ( -- ) fill-text 200 0 do encipher loop text 10 type cr sum . cr ;
main bye
