-- Debian guests in numbers: each gets its address by DHCP from the router guest and pings three others.
--
--     lanarium run --define guests=256 tests/bench/lan.lua
--
-- With --define clone=yes they are clones of one guest that has started its kernel and loaded its
-- drivers, but has no address yet.
--
-- It passes only if every guest said its address, all addresses differ, and every ping was answered.
--
-- A building, not a hall: a broadcast costs every guest that hears it some thousand instructions, and
-- each guest sends about six of them before it has pinged anyone. In one VLAN of a thousand guests they
-- would cost a fifth of what starting the kernels costs. So there are VLANs of up to 128 guests, at
-- most eight of them, which is as many cards as the router has. Of the three others that a guest pings
-- one is its neighbour; the two others are a third of all guests away, mostly behind the router.

local n = math.tointeger(tonumber(arg.guests or 64))
check(n and n >= 4 and n <= 1900, "guests is a number, from 4 to 1900")
local vlans = math.min(8, (n + 127) // 128)
local each = (n + vlans - 1) // vlans -- guests of a VLAN, the last of which may have fewer

local lans, cards = {}, {}
for v = 1, vlans do
  lans[v] = vlan("lan" .. v)
  cards[v] = ("eth%d=10.%d.0.1/16,pool=10.%d.1.0-10.%d.1.%d"):format(v - 1, v, v, v, each - 1)
end

local router = { image = "router", memory = "4M", append = table.concat(cards, " ") }
for v = 1, vlans do router[v] = lans[v] end
guest "router" (router)

local memory = arg.memory or "96M"

if arg.clone == "yes" then
  guest "origin" { image = "debian", memory = memory, append = "lan.clone=wait", lans[1] }
end

for i = 0, n - 1 do
  local lan = lans[i // each + 1]
  if arg.clone == "yes" then
    guest("d" .. i) { clone = origin, at = "ready to be cloned", lan }
  else
    guest("d" .. i) { image = "debian", memory = memory, lan }
  end
end

local function d(i) return object("d" .. i % n) end

local address = {}

test("every guest gets its own address from the router", function()
  local owner = {}
  for i = 0, n - 1 do
    address[i] = d(i):expect("bound to (10%.[%d.]+)/16 gateway 10%.%d+%.0%.1", "120s")
    check(not owner[address[i]], ("d%d and d%s have the address %s"):format(i, owner[address[i]], address[i]))
    owner[address[i]] = i
  end
  for i = 0, n - 1 do d(i):prompt "120s" end
end)

test("every guest reaches three others", function()
  for i = 0, n - 1 do
    local others = {}
    for k, j in ipairs { i + 1, i + n // 3, i + 2 * n // 3 } do others[k] = address[j % n] end
    d(i):send("for a in " .. table.concat(others, " ") .. "; do ping -c 1 $a; done\n")
  end
  for i = 0, n - 1 do
    for k = 1, 3 do d(i):expect("1 packets received", "60s") end
  end
end)
