\ Points as structures, with words for methods.
: point ( x y "name" -- ) create swap , , ;
: .x ( point -- address ) ;
: .y ( point -- address ) cell+ ;
: move-by ( dx dy point -- ) tuck .y +! .x +! ;
: norm ( point -- n ) dup .x @ dup * swap .y @ dup * + ;
: distance ( a b -- n ) over .x @ over .x @ - abs -rot .y @ swap .y @ - abs + ;
0 0 point origin
3 4 point walker
: main ( -- )
  0 1200001 1 do
    i 5 mod 2 - 1 walker move-by
    walker origin distance + walker norm + 65521 mod
    walker .y @ 100 > if 0 walker .y ! then
  loop . cr ;
main bye
