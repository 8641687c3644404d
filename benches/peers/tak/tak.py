# Takeuchi's function: recursion with three arguments.
def tak(x, y, z):
    if x <= y:
        return z
    return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y))


for _ in range(4):
    result = tak(24, 16, 8)
print(result)
