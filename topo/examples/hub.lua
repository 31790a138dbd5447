-- A hub repeats what a switch would keep from others: h3 sees what h1 and h2 say to each other.

local hub = vlan "hub" { kind = "hub" }

for i = 1, 3 do
  guest("h" .. i) { hub, append = "ip=192.168.0." .. i .. "/24" }
end

capture "hub.pcapng" { h3 }

test("the hub repeats every frame to every port", function()
  check(h1:sh("ping -c 5 192.168.0.2"):find "5 received")
  local seen = h3.eth0:stats().rx_frames
  check(seen >= 10, "h3 saw " .. seen .. " frames of 5 pings and their replies")
end)
