# The words of a text: cut at blanks, and counted in a dictionary.
TEXT = "the quick brown fox jumps over the lazy dog and the dog sleeps while the fox runs over the hill to the river where the quick hare is"


def count_words(text, counts):
    for word in text.split(" "):
        counts[word] = counts.get(word, 0) + 1


counts = {}
for _ in range(120_000):
    count_words(TEXT, counts)
print(counts["the"])
print(counts["fox"])
print(sum(len(word) * count for word, count in counts.items()))
