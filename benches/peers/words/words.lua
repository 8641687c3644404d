-- The words of a text: cut at blanks, and counted in a table.
local text = "the quick brown fox jumps over the lazy dog and the dog sleeps while the fox runs over the hill to the river where the quick hare is"
local counts = {}

local function count_words(text)
  for word in text:gmatch("[^ ]+") do counts[word] = (counts[word] or 0) + 1 end
end

for _ = 1, 120000 do count_words(text) end
print(counts.the)
print(counts.fox)
local letters = 0
for word, count in pairs(counts) do letters = letters + #word * count end
print(letters)
