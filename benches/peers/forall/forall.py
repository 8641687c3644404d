# Lists and a string of bytes, gone through by loops.
def total(values):
    result = 0
    for value in values:
        result += value
    return result


def largest(values):
    most = values[0]
    for value in values:
        if value > most:
            most = value
    return most


def histogram(values):
    bins = {}
    for value in values:
        bin = value % 100
        bins[bin] = bins.get(bin, 0) + 1
    squares = 0
    for count in bins.values():
        squares += count * count
    return squares


data = [i * 7919 % 10007 for i in range(50_000)]
text = bytes(i % 251 for i in range(20_000))
for _ in range(60):
    result = total(data) + largest(data) + histogram(data) + total(text)
print(result)
