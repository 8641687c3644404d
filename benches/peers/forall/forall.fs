\ Cells and bytes, gone through by loops.
50000 constant data-count
20000 constant text-count
create data data-count cells allot
create text text-count allot
create bins 100 cells allot
: sum ( -- n ) 0 data data-count cells bounds do i @ + 1 cells +loop ;
: largest ( -- n ) data @ data data-count cells bounds do i @ max 1 cells +loop ;
: histogram ( -- squares )
  bins 100 cells erase
  data data-count cells bounds do 1 i @ 100 mod cells bins + +! 1 cells +loop
  0 bins 100 cells bounds do i @ dup * + 1 cells +loop ;
: bytes ( -- n ) 0 text text-count bounds do i c@ + loop ;
: fill-all ( -- )
  data-count 0 do i 7919 * 10007 mod data i cells + ! loop
  text-count 0 do i 251 mod text i + c! loop ;
: main ( -- ) fill-all 0 60 0 do drop sum largest + histogram + bytes + loop . cr ;
main bye
