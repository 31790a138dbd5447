-- arg.hosts hosts on one switch: addresses from a router guest, a ping to a neighbour each, an idle
-- hour, and the network is still there.

local hosts = math.tointeger(tonumber(arg.hosts))
local lan = vlan "lan"
guest "router" { image = "router", memory = "4M", lan }
for i = 1, hosts do
  guest("h" .. i) { lan }
end

local address, seen = {}, {}

local function ping_neighbours()
  for i = 1, hosts do
    object("h" .. i):send("ping -c 1 " .. address[i % hosts + 1] .. "\n")
  end
  for i = 1, hosts do
    object("h" .. i):expect("1 received", "20s")
  end
end

local function instructions()
  local sum = 0
  for _, host in guests() do sum = sum + host:stats().instructions end
  return sum
end

test("every host has an address of its own from the router", function()
  for i = 1, hosts do
    address[i] = object("h" .. i):expect("bound to ([%d.]+)", "60s")
    check(not seen[address[i]], address[i] .. " was given twice")
    seen[address[i]] = true
  end
  check(router:sh "leases count":find(hosts .. " bound"), "the router counts leases")
end)

test("every host reaches its neighbour", ping_neighbours)

test("a host costs little memory", function()
  for _, host in guests() do
    local own = host:stats().private_bytes
    check(own <= (host == router and 1024 or 64) * 1024, own .. " bytes")
  end
end)

test("an idle hour costs next to nothing", function()
  local before = instructions()
  wait "1h"
  local each = (instructions() - before) // (hosts + 1)
  check(each < 100000, each .. " instructions a guest")
end)

test("after it every host reaches its neighbour", ping_neighbours)
