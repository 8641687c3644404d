-- Ways out: `break` from loops, `error` caught by `pcall`.
local hay = { 4, 8, 15, 16, 23, 42, 108, 7, 9, 1 }
local found, caught, sum = 0, 0, 0

local function find(values, value)
  for index, candidate in ipairs(values) do
    if candidate == value then return index - 1 end
  end
end

local function checked(n)
  if n % 97 == 0 then error("stop", 0) end
  return n * 3
end

local function quotient(a, b)
  if b == 0 then error("undefined result") end
  return a / b
end

for n = 1, 500000 do
  local ok, result = pcall(checked, n)
  if ok then sum = (sum + result) % 65521 else caught = caught + 1 end
  local index = find(hay, n % 50)
  if index then found = found + index end
  if n % 1000 == 0 and not pcall(quotient, 1, 0) then caught = caught + 1 end
end
print(found)
print(caught)
print(sum)
