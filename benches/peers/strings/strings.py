# Lines of text put together.
def lines(count):
    buffer = []
    for i in range(1, count + 1):
        buffer.append(f"item {i}, squared {i * i}\n")
    return "".join(buffer).encode()


def checksum(text):
    total = 0
    for byte in text:
        total = (total * 31 + byte) % 65521
    return total


total = 0
for _ in range(180):
    text = lines(2500)
    total += text[0] + text[-1] + len(text)
print(total)
print(checksum(text))
