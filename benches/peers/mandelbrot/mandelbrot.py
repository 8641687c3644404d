# The area of the Mandelbrot set in points of a grid.
MOST = 30


def iterations(cr, ci):
    x = y = 0.0
    steps = 0
    while steps < MOST:
        xx, yy = x * x, y * y
        if xx + yy > 4:
            break
        y = x * y * 2 + ci
        x = xx - yy + cr
        steps += 1
    return steps


def main():
    inside = total = 0
    for row in range(640):
        ci = row / 256 - 1.25
        for column in range(768):
            steps = iterations(column / 256 - 2.25, ci)
            if steps == MOST:
                inside += 1
            total += steps
    print(inside)
    print(total)


main()
