\ The Ackermann function: recursion that is deep.
: ackermann ( m n -- a )
  over 0= if nip 1+ exit then
  dup 0= if drop 1- 1 recurse exit then
  over 1- -rot 1- recurse recurse ;
: main ( -- ) 0 20 0 do drop 3 7 ackermann loop . cr ;
main bye
