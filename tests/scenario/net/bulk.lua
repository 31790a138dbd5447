-- Bulk transfers over TCP, both ways at once, with offloads and without.

local lan = vlan "lan" { delay = "30us" }

guest "a" { lan, append = "ip=10.0.0.1/24" }
guest "b" { lan, append = "ip=10.0.0.2/24" }
guest "c" { nic { lan, offload = false }, append = "ip=10.0.0.3/24" }
if not arg.unwatched then
  capture "lan.pcapng" { lan, snaplen = 128 }
end
if arg.extra then guest "extra" { append = "dhcp=no" } end

test("both ways at once, and a third", function()
  for _, host in ipairs { a, b, c } do host:prompt() end
  a:send "send 10.0.0.2 -n 3000000\n"
  b:send "send 10.0.0.1 -n 2000000\n"
  c:send "send 10.0.0.1 -n 1000000\n"
  for _, host in ipairs { a, b, c } do host:prompt "30s" end
  print(a:sh "ip")
end)
