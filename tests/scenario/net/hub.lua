-- A hub: everybody hears everybody, and two talk at the same time.

local hub = vlan "hub" { kind = "hub", delay = "50us", rate = "100Mbit" }

for i = 1, 3 do
  guest("h" .. i) { hub, append = "ip=192.168.0." .. i .. "/24" }
end
if not arg.unwatched then
  capture "lan.pcapng" { hub }
  capture "ports.pcapng" { h1, h2, h3, origin = true }
end
if arg.extra then guest "extra" { append = "dhcp=no" } end

test("two talk at once", function()
  h1:prompt()
  h2:prompt()
  h1:send "ping -c 5 -i 0.2 192.168.0.2\n"
  h2:send "ping -c 5 -i 0.2 192.168.0.3\n"
  h1:expect "5 received"
  h2:expect "5 received"
  check(h3.eth0:stats().rx_frames >= 20, "a hub repeats everything")
end)
