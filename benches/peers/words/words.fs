\ The words of a text: cut at blanks, and counted in a word list.
table constant counts
: text ( -- address length )
  s" the quick brown fox jumps over the lazy dog and the dog sleeps while the fox runs over the hill to the river where the quick hare is" ;
variable letters
: count-of ( address length -- address )
  2dup counts search-wordlist if nip nip execute exit then
  get-current >r counts set-current nextname create here 0 , r> set-current ;
: count-word ( address length -- ) dup letters +! count-of 1 swap +! ;
: count-words ( address length -- )
  begin dup while
    2dup bl scan 2swap 2 pick - count-word
    dup if 1 /string then
  repeat 2drop ;
: main ( -- )
  120000 0 do text count-words loop
  s" the" count-of @ . cr s" fox" count-of @ . cr letters @ . cr ;
main bye
