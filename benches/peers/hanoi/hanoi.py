# The towers of Hanoi.
def hanoi(disks, source, target, via):
    if disks == 0:
        return 0
    return hanoi(disks - 1, source, via, target) + hanoi(disks - 1, via, target, source) + 1


print(hanoi(22, 1, 2, 3))
