-- A text as bytes, enciphered one at a time.
local function encipher(text, key)
  for i = 1, #text do
    text[i] = (text[i] - 97 + key[(i - 1) % #key + 1] - 97) % 26 + 97
  end
end

local key, text = { ("lemon"):byte(1, -1) }, {}
for i = 1, 26000 do text[i] = (i - 1) % 26 + 97 end
for _ = 1, 200 do encipher(text, key) end
print(string.char(unpack(text, 1, 10)))
local sum = 0
for i = 1, #text do sum = sum + text[i] end
print(sum)
