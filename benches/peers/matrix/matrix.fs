\ The product of two square matrices, row by row.
240 constant n
create a n n * cells allot
create b n n * cells allot
create c n n * cells allot
: element ( matrix row column -- address ) swap n * + cells + ;
: fill-matrix { matrix factor -- }
  n 0 do n 0 do factor j * i + 7 mod matrix j i element ! loop loop ;
: cell-of-product ( row column -- sum )
  cells b + swap n * cells a + swap
  0 n 0 do >r over @ over @ * r> + >r n cells + swap cell+ swap r> loop
  nip nip ;
: product ( -- ) n 0 do n 0 do j i cell-of-product c j i element ! loop loop ;
: trace ( matrix -- sum ) 0 n 0 do over i i element @ + loop nip ;
a 3 fill-matrix b 5 fill-matrix product c trace . cr bye
