-- The area of the Mandelbrot set in points of a grid.
local most, inside, total = 30, 0, 0

local function iterations(cr, ci)
  local x, y, steps = 0.0, 0.0, 0
  while steps < most do
    local xx, yy = x * x, y * y
    if xx + yy > 4 then break end
    y = x * y * 2 + ci
    x = xx - yy + cr
    steps = steps + 1
  end
  return steps
end

for row = 0, 639 do
  local ci = row / 256 - 1.25
  for column = 0, 767 do
    local steps = iterations(column / 256 - 2.25, ci)
    if steps == most then inside = inside + 1 end
    total = total + steps
  end
end
print(inside)
print(total)
