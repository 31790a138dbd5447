-- A Debian guest, and --define clones=N clones of it when it has started. Prints "cloned" before any
-- has run, and "awake" when each has its own name and prompt.

local n = math.tointeger(tonumber(arg.clones))
local lan = vlan "lan"

guest "d" { image = "debian", lan, append = "lan.ip=10.9.0.1/16" }
for i = 1, n do guest("c" .. i) { clone = d, lan } end

test("clones answer", function()
  d:expect("ready to be cloned", "120s")
  wait "1us"
  print "cloned"
  for i = 1, n do object("c" .. i):expect("c" .. i .. "# ", "60s") end
  print "awake"
end)
