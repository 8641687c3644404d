# Binary trees of dictionaries: made, walked, and forgotten.
def grow(depth):
    tree = {}
    if depth > 0:
        tree["left"] = grow(depth - 1)
        tree["right"] = grow(depth - 1)
    return tree


def nodes(tree):
    if "left" not in tree:
        return 1
    return nodes(tree["left"]) + nodes(tree["right"]) + 1


kept = grow(16)
count = 0
for _ in range(100):
    count += nodes(grow(12))
print(count + nodes(kept))
