-- Hoare's quicksort of an array.
local values, seed = {}, 42

local function fill(count)
  for i = 1, count do
    seed = (seed * 1103 + 12345) % 65536
    values[i] = seed
  end
end

local function sort(from, to)
  if from >= to then return end
  local left, right = from, to
  local pivot = values[(left + right) // 2]
  repeat
    while values[left] < pivot do left = left + 1 end
    while values[right] > pivot do right = right - 1 end
    if left <= right then
      values[left], values[right] = values[right], values[left]
      left, right = left + 1, right - 1
    end
  until left > right
  sort(from, right)
  sort(left, to)
end

local function checksum()
  local sum = 0
  for i = 1, #values do sum = (sum + (i - 1) * values[i]) % 1000003 end
  return sum
end

for _ = 1, 8 do
  fill(60000)
  sort(1, #values)
end
print(checksum())
