# All ways to put queens on a board: lists say which columns and diagonals are taken.
SIZE = 8
columns = [False] * SIZE
rising = [False] * (2 * SIZE)
falling = [False] * (2 * SIZE)


def place(row):
    if row == SIZE:
        return 1
    solutions = 0
    for column in range(SIZE):
        up, down = row + column, row - column + SIZE
        if not (columns[column] or rising[up] or falling[down]):
            columns[column] = rising[up] = falling[down] = True
            solutions += place(row + 1)
            columns[column] = rising[up] = falling[down] = False
    return solutions


print(sum(place(0) for _ in range(250)))
