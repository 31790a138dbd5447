-- A thousand hosts on one switch. Each gets its address from the router and pings a neighbour.
-- The number can be changed: lanarium run --define hosts=5000 thousand.lua

local hosts = math.tointeger(tonumber(arg.hosts or 1000))
check(hosts and hosts >= 2, "hosts is a number, 2 at least")

local lan = vlan "lan"
guest "router" { image = "router", memory = "4M", lan }

for i = 1, hosts do
  guest("h" .. i) { lan }
end

local address = {}

test("every host gets an address from the router", function()
  for i = 1, hosts do
    address[i] = object("h" .. i):expect("bound to ([%d.]+)", "60s")
  end
end)

test("every host reaches its neighbour", function()
  for i = 1, hosts do
    object("h" .. i):send("ping -c 1 " .. address[i % hosts + 1] .. "\n")
  end
  for i = 1, hosts do
    object("h" .. i):expect("1 received", "20s")
  end
end)

test("an hour passes", function()
  wait "1h"
end)
