-- All ways to put queens on a board: tables say which columns and diagonals are taken.
local size, solutions = 8, 0
local columns, rising, falling = {}, {}, {}

local function place(row)
  if row == size then
    solutions = solutions + 1
    return
  end
  for column = 0, size - 1 do
    local up, down = row + column, row - column + size
    if not (columns[column] or rising[up] or falling[down]) then
      columns[column], rising[up], falling[down] = true, true, true
      place(row + 1)
      columns[column], rising[up], falling[down] = false, false, false
    end
  end
end

for i = 0, 2 * size do columns[i], rising[i], falling[i] = false, false, false end
for _ = 1, 250 do place(0) end
print(solutions)
