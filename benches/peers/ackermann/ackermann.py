# The Ackermann function: recursion that is deep.
import sys


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


sys.setrecursionlimit(10_000)
for _ in range(20):
    result = ackermann(3, 7)
print(result)
