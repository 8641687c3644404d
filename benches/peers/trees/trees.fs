\ Binary trees on the heap: made, walked, and freed.
: left ( tree -- address ) ;
: right ( tree -- address ) cell+ ;
: grow ( depth -- tree )
  2 cells allocate throw >r
  dup 0> if
    dup 1- recurse r@ left !
    dup 1- recurse r@ right !
  else
    0 r@ left ! 0 r@ right !
  then
  drop r> ;
: nodes ( tree -- n )
  dup left @ 0= if drop 1 exit then
  dup left @ recurse swap right @ recurse + 1+ ;
: forget-tree ( tree -- )
  dup left @ if dup left @ recurse dup right @ recurse then free throw ;
: main ( -- )
  16 grow
  0 100 0 do 12 grow dup nodes swap forget-tree + loop
  swap nodes + . cr ;
main bye
