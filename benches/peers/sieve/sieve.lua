-- The sieve of Eratosthenes: a table holds the numbers that are not prime.
local function sieve(limit)
  local composite, count = {}, 0
  for n = 2, limit do
    if not composite[n] then
      count = count + 1
      for multiple = n * n, limit, n do composite[multiple] = true end
    end
  end
  return count
end

local result
for _ = 1, 12 do result = sieve(200000) end
print(result)
