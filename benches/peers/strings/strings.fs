\ Lines of text put together in a buffer.
create result 100000 allot
variable at
: add-text ( address length -- ) tuck result at @ + swap move at +! ;
: add-byte ( char -- ) result at @ + c! 1 at +! ;
: digits ( n -- address length ) 0 <# #s #> ;
: line ( n -- )
  s" item " add-text
  dup digits add-text
  s" , squared " add-text
  dup * digits add-text
  10 add-byte ;
: checksum ( -- sum ) 0 result at @ bounds do 31 * i c@ + 65521 mod loop ;
: main ( -- )
  0 180 0 do
    0 at ! 2501 1 do i line loop
    result c@ + result at @ 1- + c@ + at @ +
  loop . cr checksum . cr ;
main bye
