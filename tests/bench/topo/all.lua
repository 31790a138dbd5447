-- --define guests=N Debian guests get addresses by DHCP from a router guest whose pool is just as
-- large, so that each can ping all without asking who has which. Prints "bound" and "answered".

local n = math.tointeger(tonumber(arg.guests))
local lan = vlan "lan"

guest "router" { image = "router", memory = "1M", lan,
  append = "eth0=10.9.0.1/16,pool=10.9.1.1-10.9.1." .. n }
for i = 1, n do
  guest("d" .. i) { image = "debian", initrd = arg.initrd, lan }
end

test("all ping all", function()
  for i = 1, n do object("d" .. i):expect("bound to 10%.9%.1%.", "120s") end
  for i = 1, n do object("d" .. i):prompt "60s" end
  print "bound"
  for i = 1, n do object("d" .. i):send("pings 10.9.1 " .. n .. "\n") end
  for i = 1, n do
    local answered = object("d" .. i):expect("pings: (%d+) answered", "300s")
    check(tonumber(answered) == n, "d" .. i .. " reached " .. answered)
  end
  print "answered"
end)
