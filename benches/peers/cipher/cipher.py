# A text as bytes, enciphered one at a time.
def encipher(text, key):
    for i in range(len(text)):
        text[i] = (text[i] - 97 + key[i % len(key)] - 97) % 26 + 97


def main():
    text = bytearray(97 + i % 26 for i in range(26_000))
    for _ in range(200):
        encipher(text, b"lemon")
    print(text[:10].decode())
    print(sum(text))


main()
