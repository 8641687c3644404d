\ What starting costs.
.( hello, world) cr bye
