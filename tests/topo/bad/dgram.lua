local lan = vlan "lan"
dgram "a" { lan }
dgram "b" { lan, mcast = "230.0.0.1:1234", remote = "127.0.0.1:1", localaddr = "127.0.0.1:2" }
dgram "c" { lan, remote = "127.0.0.1:1" }
dgram "d" { lan, remote = "unix:/a", localaddr = "127.0.0.1:2" }
dgram "e" { lan, mcast = "unix:/a" }
dgram "f" { lan, remote = "127.0.0.1", localaddr = "127.0.0.1:2" }
dgram "g" { lan, mcast = "230.0.0.1:0" }
dgram "h" { lan, mcast = "230.0.0.1:1", ttl = 256 }
dgram "i" { lan, fd = "5", localaddr = "127.0.0.1:2" }
