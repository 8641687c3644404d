# The sieve of Eratosthenes: a dictionary holds the numbers that are not prime.
def sieve(limit):
    composite, primes = {}, 0
    for n in range(2, limit + 1):
        if n not in composite:
            primes += 1
            for multiple in range(n * n, limit + 1, n):
                composite[multiple] = True
    return primes


for _ in range(12):
    result = sieve(200_000)
print(result)
