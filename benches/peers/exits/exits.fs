\ Ways out: `leave` from loops, `throw` caught by `catch`.
create hay 4 , 8 , 15 , 16 , 23 , 42 , 108 , 7 , 9 , 1 ,
variable found variable caught
: find-value ( value -- index | -1 )
  -1 swap 10 0 do hay i cells + @ over = if nip i swap leave then loop drop ;
: checked ( n -- m ) dup 97 mod 0= if 1 throw then 3 * ;
: quotient ( a b -- c ) dup 0= -10 and throw / ;
: main ( -- )
  0 500001 1 do
    i ['] checked catch if drop 1 caught +! else + 65521 mod then
    i 50 mod find-value dup 0< if drop else found +! then
    i 1000 mod 0= if 1 0 ['] quotient catch if 2drop 1 caught +! else drop then then
  loop
  found @ . cr caught @ . cr . cr ;
main bye
