# Three nested loops and a sum.
def main():
    total = 0
    for i in range(1, 251):
        for j in range(1, 251):
            for k in range(1, 401):
                total += (i * j + k) % 7
    print(total)


main()
