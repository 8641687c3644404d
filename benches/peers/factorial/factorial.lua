-- Factorials by a loop.
local function factorial(n)
  local product = 1.0
  for i = 1, n do product = product * i end
  return product
end

local result
for _ = 1, 3000000 do result = factorial(12) end
print(result)
