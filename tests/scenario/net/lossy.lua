-- A queue of four packets before a slow link: UDP overruns it, TCP learns to live with it.

local lan = vlan "lan" { delay = "5ms", rate = "1Mbit", queue = "6K" }

guest "a" { lan, append = "ip=10.0.0.1/24" }
guest "b" { nic { lan, delay = "2ms" }, append = "ip=10.0.0.2/24" }
if not arg.unwatched then
  capture "lan.pcapng" { lan, origin = true }
end
if arg.extra then guest "extra" { append = "dhcp=no" } end

test("UDP loses what the queue does not hold", function()
  print(a:sh("send 10.0.0.2 -u -t 1 -b 3", "60s"))
  local drops = 0
  for _, n in ipairs { a.eth0, b.eth0 } do
    drops = drops + n:stats().dropped
  end
  check(drops > 10, "dropped " .. drops)
end)

test("TCP gets everything across", function()
  print(a:sh("send 10.0.0.2 -n 200000", "60s"))
  b:sh "ip"
end)
