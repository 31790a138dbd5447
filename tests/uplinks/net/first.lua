-- Some traffic to be captured: pings of several sizes, and a page over TCP.
local lan = vlan "lan"
guest "h1" { lan, append = "ip=192.168.7.1/24" }
guest "h2" { lan, append = "ip=192.168.7.2/24" }
capture(arg.file) { lan }

test("they talk", function()
  h1:sh "ping -c 5 192.168.7.2"
  h1:sh "ping -c 3 -s 1400 192.168.7.2"
  check(h1:sh("http 192.168.7.2"):find "200 OK")
end)
