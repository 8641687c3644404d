-- Tables and a string, gone through by iterators.
local function sum(values)
  local total = 0
  for _, value in ipairs(values) do total = total + value end
  return total
end

local function largest(values)
  local most = values[1]
  for _, value in ipairs(values) do
    if value > most then most = value end
  end
  return most
end

local function histogram(values)
  local bins = {}
  for _, value in ipairs(values) do
    local bin = value % 100
    bins[bin] = (bins[bin] or 0) + 1
  end
  local squares = 0
  for _, count in pairs(bins) do squares = squares + count * count end
  return squares
end

local function bytes(text)
  local total = 0
  for i = 1, #text do total = total + text:byte(i) end
  return total
end

local data, characters = {}, {}
for i = 0, 49999 do data[#data + 1] = i * 7919 % 10007 end
for i = 0, 19999 do characters[#characters + 1] = string.char(i % 251) end
local text = table.concat(characters)
local result
for _ = 1, 60 do result = sum(data) + largest(data) + histogram(data) + bytes(text) end
print(result)
