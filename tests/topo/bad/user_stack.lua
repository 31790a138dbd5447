local lan = vlan "lan"
guest "h" { kernel = "user_stack.lua", lan }
user "a1" { lan, net = "10.0.2.1/24" }
user "a2" { lan, net = "10.0.2.0/255.0.255.0" }
user "a3" { lan, net = "10.0.2.0/30" }
user "a4" { lan, host = "10.0.3.2" }
user "a5" { lan, dns = "10.0.2.2" }
user "a6" { lan, host = "10.0.2.255", dhcpstart = "ten" }
user "a7" { lan, dhcpstart = "10.0.2.250" }
user "a8" { lan, dhcpstart = "10.0.2.1" }
user "b1" { lan, ipv4 = false }
user "b2" { lan, ipv4 = false, ipv6 = true, net = "10.0.2.0/24", dnssearch = "example.org" }
user "b3" { lan, ipv6 = false, ipv6_dns = "fec0::3" }
user "b4" { lan, ipv6_net = "fec0::/129" }
user "b5" { lan, ipv6_net = "fec0::5/64" }
user "b6" { lan, ipv6_net = "fd00::/64", ipv6_prefixlen = 48 }
user "b7" { lan, ipv6_net = "fd00::/64", ipv6_host = "fd01::2" }
user "b8" { lan, ipv6_host = "fec0::7", ipv6_dns = "fec0::7" }
user "b9" { lan, ipv6_prefixlen = 127 }
user "c1" { lan, hostname = "a-name-that-is-longer-than-libslirp-keeps" }
user "c2" { lan, domainname = "two..dots", dnssearch = { "good.example", "-_x.-", "" } }
user "c3" { lan, bootfile = ("b"):rep(128) }
user "c4" { lan, dnssearch = { ("a."):rep(120) .. "a", ("b."):rep(20) .. "b" } }
user "d1" { lan, hostfwd = { "tcp:80", "sctp::80-:80", "tcp::80-:0", "tcp:localhost:80-:80" } }
user "d2" { lan, hostfwd = { "tcp:[::1]:80-:80", "tcp::80-[fec0::15]:80", "unix:-:80" } }
user "d3" { lan, ipv6 = true, hostfwd = { "udp:[::1]:80-:80", "tcp::80-[fec0::15]:80" } }
user "e1" { lan, guestfwd = { "tcp:10.0.2.100:80", "tcp:10.0.2.100:80-tcp:8080", "udp:10.0.2.100:80-cmd:cat" } }
user "e2" { lan, guestfwd = { "tcp:10.0.3.1:80-cmd:cat", "tcp:10.0.2.2:80-cmd:cat", "tcp:10.0.2.3:80-cmd:cat" } }
user "e3" { lan, guestfwd = { "tcp::7-cmd:cat", "tcp:10.0.2.4:7-unix:/tmp/x" } }
user "f1" { lan, smbserver = "10.0.2.9" }
user "f2" { lan, smb = "nowhere", tftp = "nowhere" }
