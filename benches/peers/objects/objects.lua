-- Points with methods of their own.
local Point = {}
Point.__index = Point

local function point(x, y) return setmetatable({ x = x, y = y }, Point) end

function Point:move(dx, dy)
  self.x = self.x + dx
  self.y = self.y + dy
end

function Point:norm() return self.x * self.x + self.y * self.y end

local function distance(a, b)
  local dx, dy = a.x - b.x, a.y - b.y
  return math.abs(dx) + math.abs(dy)
end

local origin, walker, sum = point(0, 0), point(3, 4), 0
for i = 1, 1200000 do
  walker:move(i % 5 - 2, 1)
  sum = (distance(walker, origin) + sum + walker:norm()) % 65521
  if walker.y > 100 then walker.y = 0 end
end
print(sum)
