\ The sieve of Eratosthenes: flags in bytes.
200000 constant limit
create composite limit 1+ allot
: sieve ( -- primes )
  composite limit 1+ erase
  0 limit 1+ 2 do
    composite i + c@ 0= if
      1+
      i dup * begin dup limit > 0= while 1 over composite + c! i + repeat drop
    then
  loop ;
: main ( -- ) 0 12 0 do drop sieve loop . cr ;
main bye
