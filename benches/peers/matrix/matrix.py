# The product of two square matrices, lists of rows.
def filled(n, factor):
    return [[(factor * i + j) % 7 for j in range(n)] for i in range(n)]


def product(n, a, b):
    c = []
    for i in range(n):
        row, result = a[i], []
        for j in range(n):
            total = 0
            for k in range(n):
                total += row[k] * b[k][j]
            result.append(total)
        c.append(result)
    return c


def trace(n, m):
    return sum(m[i][i] for i in range(n))


print(trace(240, product(240, filled(240, 3), filled(240, 5))))
