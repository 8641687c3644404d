-- Binary trees of tables: made, walked, and forgotten.
local function grow(depth)
  local tree = {}
  if depth > 0 then
    tree.left = grow(depth - 1)
    tree.right = grow(depth - 1)
  end
  return tree
end

local function nodes(tree)
  if not tree.left then return 1 end
  return nodes(tree.left) + nodes(tree.right) + 1
end

local kept = grow(16)
local count = 0
for _ = 1, 100 do count = count + nodes(grow(12)) end
print(count + nodes(kept))
