-- A capture played into a VLAN, over a patch, to two guests: what the tape sends, captured again.
local a, b = vlan "a" { kind = "hub" }, vlan "b"
pcap "tape" { a, file = arg.file, start = "1s", rate = arg.rate or "unlimited",
              speed = arg.speed or 1, loop = arg.loop or 1, filter = arg.filter or "" }
patch "cable" { a, b, delay = "3us" }
guest "h1" { b, append = "dhcp=no" }
guest "h2" { b, append = "dhcp=no" }
capture "again.pcapng" { tape }
capture "all.pcapng" { a, b, cable, h1, h2 }

test("it is played", function() wait(arg.time or "20s") end)
