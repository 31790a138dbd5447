-- A capture played to an interface of the host: none of it comes back in, nor to another who is on it.
local lan = vlan "lan" { kind = "hub" }
pcap "wire" { lan, ifname = arg.ifname }
pcap "other" { vlan "aside", ifname = arg.ifname }
pcap "tape" { lan, file = arg.file, start = "500ms", speed = 20 }
guest "h1" { append = "dhcp=no" }

test("nothing comes back", function()
  wait "2s"
  local played, came = tape:stats().tx_frames, wire:stats().tx_frames + other:stats().tx_frames
  check(played > 20, played)
  check(came == 0, came .. " came back")
end)
