\ The area of the Mandelbrot set in points of a grid.
30 constant most
fvariable x fvariable y fvariable cr' fvariable ci
: iterations ( -- steps )
  0e x f! 0e y f!
  0 begin dup most < while
    x f@ fdup f* y f@ fdup f*
    fover fover f+ 4e f> if fdrop fdrop exit then
    f- cr' f@ f+
    x f@ y f@ f* 2e f* ci f@ f+ y f!
    x f! 1+
  repeat ;
: coordinate ( n -- ) ( f: -- c ) s>d d>f 256e f/ ;
: main ( -- )
  0 0 640 0 do
    i coordinate 1.25e f- ci f!
    768 0 do
      i coordinate 2.25e f- cr' f!
      iterations tuck + -rot most = 1 and + swap
    loop
  loop swap . cr . cr ;
main bye
