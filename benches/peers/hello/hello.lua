-- What starting costs.
print("hello, world")
