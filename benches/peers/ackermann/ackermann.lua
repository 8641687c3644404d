-- The Ackermann function: recursion that is deep, and in two places a tail call.
local function ackermann(m, n)
  if m == 0 then return n + 1 end
  if n == 0 then return ackermann(m - 1, 1) end
  return ackermann(m - 1, ackermann(m, n - 1))
end

local result
for _ = 1, 20 do result = ackermann(3, 7) end
print(result)
