-- The product of two square matrices, tables of rows.
local function matrix(n, factor)
  local rows = {}
  for i = 1, n do
    local row = {}
    for j = 1, n do row[j] = (factor * (i - 1) + (j - 1)) % 7 end
    rows[i] = row
  end
  return rows
end

local function product(n, a, b)
  local c = {}
  for i = 1, n do
    local row, result = a[i], {}
    for j = 1, n do
      local sum = 0
      for k = 1, n do sum = sum + row[k] * b[k][j] end
      result[j] = sum
    end
    c[i] = result
  end
  return c
end

local function trace(n, m)
  local sum = 0
  for i = 1, n do sum = sum + m[i][i] end
  return sum
end

local n = 240
print(trace(n, product(n, matrix(n, 3), matrix(n, 5))))
