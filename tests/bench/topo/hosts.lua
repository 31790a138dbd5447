-- --define hosts=N small hosts, a hundred to a VLAN with a router that gives them their addresses.
-- Prints "addresses" when each has one and has pinged its router.

local n = math.tointeger(tonumber(arg.hosts))
local lan

for i = 1, n do
  if i % 100 == 1 then
    lan = vlan("lan" .. i // 100)
    guest("r" .. i // 100) { image = "router", lan,
      append = "eth0=10.9.0.1/16,pool=10.9.1.1-10.9.1.100" }
  end
  guest("h" .. i) { lan }
end

test("each has an address and reaches its router", function()
  for i = 1, n do object("h" .. i):expect("bound to 10%.9%.1%.", "300s") end
  for i = 1, n do object("h" .. i):send "ping -c 1 10.9.0.1\n" end
  for i = 1, n do object("h" .. i):expect("1 received", "300s") end
  print "addresses"
end)
