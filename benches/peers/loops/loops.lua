-- Three nested loops and a sum.
local sum = 0
for i = 1, 250 do
  for j = 1, 250 do
    for k = 1, 400 do
      sum = sum + (i * j + k) % 7
    end
  end
end
print(sum)
