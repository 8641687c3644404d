# Ways out: `break` from loops, exceptions that are caught.
class Stop(Exception):
    pass


HAY = [4, 8, 15, 16, 23, 42, 108, 7, 9, 1]


def find(values, value):
    for index, candidate in enumerate(values):
        if candidate == value:
            return index
    return None


def checked(n):
    if n % 97 == 0:
        raise Stop
    return n * 3


def main():
    found = caught = total = 0
    for n in range(1, 500_001):
        try:
            total = (total + checked(n)) % 65521
        except Stop:
            caught += 1
        index = find(HAY, n % 50)
        if index is not None:
            found += index
        if n % 1000 == 0:
            try:
                1 / 0
            except ZeroDivisionError:
                caught += 1
    print(found)
    print(caught)
    print(total)


main()
