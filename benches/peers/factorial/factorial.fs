\ Factorials by a loop.
: factorial ( n -- n! ) 1 swap 1+ 1 ?do i * loop ;
: main ( -- ) 0 3000000 0 do drop 12 factorial loop . cr ;
main bye
