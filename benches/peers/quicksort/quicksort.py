# Hoare's quicksort of a list.
def scrambled(count, seed):
    values = []
    for _ in range(count):
        seed = (seed * 1103 + 12345) % 65536
        values.append(seed)
    return values, seed


def sort(values, first, last):
    if first >= last:
        return
    left, right = first, last
    pivot = values[(left + right) // 2]
    while left <= right:
        while values[left] < pivot:
            left += 1
        while values[right] > pivot:
            right -= 1
        if left <= right:
            values[left], values[right] = values[right], values[left]
            left += 1
            right -= 1
    sort(values, first, right)
    sort(values, left, last)


def checksum(values):
    total = 0
    for index, value in enumerate(values):
        total = (total + index * value) % 1_000_003
    return total


def main():
    seed = 42
    for _ in range(8):
        values, seed = scrambled(60_000, seed)
        sort(values, 0, len(values) - 1)
    print(checksum(values))


main()
