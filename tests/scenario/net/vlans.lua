-- Two VLANs with different delays, and a router with a DHCP server on each.

local left = vlan "left"
local right = vlan "right" { delay = "1ms", rate = "10Mbit" }

guest "r1" {
  image = "router", left, right,
  append = "eth0=10.1.0.1/24,pool=10.1.0.10-10.1.0.99 eth1=10.2.0.1/24,pool=10.2.0.10-10.2.0.99",
}
guest "a" { left }
guest "b" { nic { right, delay = "300us" } }
guest "c" { right }
if not arg.unwatched then
  capture "left.pcapng" { left, origin = true }
  capture "right.pcapng" { right }
  capture "all.pcapng" {}
end
if arg.extra then guest "extra" { append = "dhcp=no" } end

test("they meet across the router", function()
  a:expect "bound to 10%.1%.0%.%d+"
  local b_address = b:expect "bound to (10%.2%.0%.%d+)"
  local c_address = c:expect "bound to (10%.2%.0%.%d+)"
  check(a:sh("ping -c 3 " .. b_address):find "3 received")
  check(a:sh("http " .. c_address .. "/bytes/50000"):find "200")
  print(r1:sh "leases")
end)
