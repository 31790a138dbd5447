-- Two networks joined by a link, which could lie in two processes or have a QEMU at one end:
--
--     qemu-system-riscv64 ... -nic socket,connect=127.0.0.1:1234,mac=52:54:00:00:00:99
--
-- Whoever does not know the secret gets in no frame. A socket's path takes the place of a port here, so
-- that two runs do not disturb each other.

local here, there = vlan "here", vlan "there"
local path = "unix:" .. (arg.path or "link.sock")

guest "h1" { here, append = "ip=10.0.0.1/24" }
guest "h2" { there, append = "ip=10.0.0.2/24" }
stream "left" { here, listen = path, secret = "correct horse battery staple" }
stream "right" { there, connect = path, secret = "correct horse battery staple" }
capture "link.pcapng" { here }

test("h1 reaches h2 over the link", function()
  while left:peers() == 0 do wait "10ms" end
  check(h1:sh("ping -c 3 10.0.0.2", "10s"):find "3 received")
end)
