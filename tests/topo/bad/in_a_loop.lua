for i = 1, 100 do
  guest("h" .. i) { kernel = "in_a_loop.lua", memry = "5" }
end
