\ All ways to put queens on a board: bytes say which columns and diagonals are taken.
8 constant size
create columns size allot
create rising size 2* allot
create falling size 2* allot
variable solutions
: squares ( row column -- falling rising column )
  2dup - size + falling + -rot tuck + rising + swap columns + ;
: free? ( row column -- flag ) squares c@ swap c@ or swap c@ or 0= ;
: mark ( flag row column -- )
  squares >r >r over swap c! r> over swap c! r> c! ;
: put-queens ( row -- )
  dup size = if drop 1 solutions +! exit then
  size 0 do
    dup i free? if
      1 over i mark
      dup 1+ recurse
      0 over i mark
    then
  loop drop ;
: main ( -- ) 250 0 do 0 put-queens loop solutions @ . cr ;
columns size erase rising size 2* erase falling size 2* erase
main bye
