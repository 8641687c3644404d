-- The towers of Hanoi.
local function hanoi(disks, from, to, via)
  if disks == 0 then return 0 end
  return hanoi(disks - 1, from, via, to) + hanoi(disks - 1, via, to, from) + 1
end

print(hanoi(22, 1, 2, 3))
