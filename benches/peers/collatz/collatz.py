# The number below a bound from which Collatz's sequence is longest, and how long it is.
def steps(n):
    count = 0
    while n != 1:
        if n % 2 == 0:
            n //= 2
        else:
            n = 3 * n + 1
        count += 1
    return count


def main():
    best = longest = 0
    for n in range(1, 100_001):
        count = steps(n)
        if count > longest:
            best, longest = n, count
    print(longest)
    print(best)


main()
