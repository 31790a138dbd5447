-- Guests of two harts, one of them asleep for ever, at different speeds.

local lan = vlan "lan"

guest "fast" { harts = 2, lan }
guest "slow" { harts = 2, mips = 100, lan }
user "gw" { lan }
if not arg.unwatched then
  capture "lan.pcapng" { lan, origin = true }
end
if arg.extra then guest "extra" { append = "dhcp=no" } end

test("both get an address and talk", function()
  fast:expect "bound to"
  local there = slow:expect "bound to (10%.0%.2%.%d+)"
  check(fast:sh("ping -c 3 -i 0.1 " .. there):find "3 received")
  check(fast:sh("http " .. there .. "/bytes/30000"):find "200")
end)
