\ Hoare's quicksort of an array.
60000 constant count-of
create values count-of cells allot
variable seed 42 seed !
: random ( -- n ) seed @ 1103 * 12345 + 65536 mod dup seed ! ;
: scramble ( -- ) values count-of 0 do random over ! cell+ loop drop ;
: exchange ( address1 address2 -- ) over @ over @ swap rot ! swap ! ;
: partition ( first last -- first right left last )
  2dup over - 2/ -1 cells and + @ >r
  2dup
  begin
    swap begin dup @ r@ < while cell+ repeat
    swap begin r@ over @ < while 1 cells - repeat
    2dup > 0= if 2dup exchange >r cell+ r> 1 cells - then
    2dup >
  until
  r> drop swap rot ;
: sort ( first last -- )
  2dup < 0= if 2drop exit then
  partition recurse recurse ;
: checksum ( -- sum ) 0 count-of 0 do values i cells + @ i * + 1000003 mod loop ;
: main ( -- ) 8 0 do scramble values dup count-of 1- cells + sort loop checksum . cr ;
main bye
