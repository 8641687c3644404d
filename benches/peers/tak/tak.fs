\ Takeuchi's function: recursion with three arguments.
: tak { x y z -- t }
  x y > 0= if z exit then
  x 1- y z recurse  y 1- z x recurse  z 1- x y recurse  recurse ;
: main ( -- ) 0 4 0 do drop 24 16 8 tak loop . cr ;
main bye
