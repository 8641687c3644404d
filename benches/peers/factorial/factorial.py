# Factorials by a loop.
def factorial(n):
    product = 1.0
    for i in range(1, n + 1):
        product *= i
    return product


def main():
    for _ in range(3_000_000):
        result = factorial(12)
    print(result)


main()
