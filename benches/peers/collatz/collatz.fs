\ The number below a bound from which Collatz's sequence is longest, and how long it is.
: steps ( n -- steps )
  0 swap begin dup 1 <> while
    dup 1 and if dup 2* + 1+ else 2/ then swap 1+ swap
  repeat drop ;
: main ( -- )
  0 0 100001 1 do
    i steps 2dup < if nip nip i swap else drop then
  loop . cr . cr ;
main bye
