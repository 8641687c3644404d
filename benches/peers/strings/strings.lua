-- Lines of text put together in a buffer.
local function lines(count)
  local buffer = {}
  for i = 1, count do
    buffer[#buffer + 1] = "item "
    buffer[#buffer + 1] = tostring(i)
    buffer[#buffer + 1] = ", squared "
    buffer[#buffer + 1] = tostring(i * i)
    buffer[#buffer + 1] = "\n"
  end
  return table.concat(buffer)
end

local function checksum(text)
  local sum = 0
  for i = 1, #text do sum = (sum * 31 + text:byte(i)) % 65521 end
  return sum
end

local total, text = 0, nil
for _ = 1, 180 do
  text = lines(2500)
  total = total + text:byte(1) + text:byte(#text) + #text
end
print(total)
print(checksum(text))
