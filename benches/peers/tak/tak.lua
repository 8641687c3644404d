-- Takeuchi's function: recursion with three arguments.
local function tak(x, y, z)
  if x <= y then return z end
  return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y))
end

local result
for _ = 1, 4 do result = tak(24, 16, 8) end
print(result)
