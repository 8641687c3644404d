\ The towers of Hanoi.
: hanoi { disks from to via -- moves }
  disks 0= if 0 exit then
  disks 1- from via to recurse
  disks 1- via to from recurse + 1+ ;
22 1 2 3 hanoi . cr bye
