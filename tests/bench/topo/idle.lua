-- --define guests=N Debian guests start, and then do nothing for an hour. Prints "started".

local lan = vlan "lan"
local n = math.tointeger(tonumber(arg.guests))

for i = 1, n do
  guest("d" .. i) { image = "debian", lan,
    append = ("lan.ip=10.9.%d.%d/16"):format(i // 250, i % 250 + 1) }
end

test("an hour passes", function()
  for i = 1, n do object("d" .. i):prompt "300s" end
  wait "10s"
  print "started"
  wait "1h"
  print "an hour"
end)
