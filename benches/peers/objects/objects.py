# Points with methods of their own.
class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def move(self, dx, dy):
        self.x += dx
        self.y += dy

    def norm(self):
        return self.x * self.x + self.y * self.y


def distance(a, b):
    dx, dy = a.x - b.x, a.y - b.y
    return abs(dx) + abs(dy)


def main():
    origin, walker, total = Point(0, 0), Point(3, 4), 0
    for i in range(1, 1_200_001):
        walker.move(i % 5 - 2, 1)
        total = (distance(walker, origin) + total + walker.norm()) % 65521
        if walker.y > 100:
            walker.y = 0
    print(total)


main()
