-- The number below a bound from which Collatz's sequence is longest, and how long it is.
local function steps(n)
  local count = 0
  while n ~= 1 do
    if n % 2 == 0 then n = n // 2 else n = 3 * n + 1 end
    count = count + 1
  end
  return count
end

local best, longest = 0, 0
for n = 1, 100000 do
  local count = steps(n)
  if count > longest then best, longest = n, count end
end
print(longest)
print(best)
