-- Two LANs and a router between them, which also gives the hosts of both their addresses.

local left = vlan "left"
local right = vlan "right" { delay = "1ms", rate = "10Mbit" }

guest "r1" {
  image = "router",
  left, right,
  append = "eth0=10.1.0.1/24,pool=10.1.0.10-10.1.0.99 eth1=10.2.0.1/24,pool=10.2.0.10-10.2.0.99",
}
guest "a" { left }
guest "b" { right }

capture "two-lans.pcapng" { left, right }

local address

test("each host has an address of its own LAN", function()
  a:expect "bound to 10%.1%.0%.%d+/24 gateway 10%.1%.0%.1"
  address = b:expect "bound to (10%.2%.0%.%d+)/24 gateway 10%.2%.0%.1"
end)

test("they reach each other through the router", function()
  local answer = a:sh("ping -c 3 " .. address)
  check(answer:find "3 received", answer)
  check(answer:find "ttl=254", "one router takes one from the time to live")
  right:expect "icmp[icmptype] = icmp-echo and src net 10.1.0.0/24"
end)
