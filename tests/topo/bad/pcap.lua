local lan = vlan "lan"
guest "h1" { lan }
pcap "none" { lan }
pcap "both" { lan, file = "pcap.lua", ifname = "eth0" }
pcap "gone" { lan, file = "nothing.pcap" }
pcap "text" { lan, file = "pcap.lua" }
pcap "fast" { lan, ifname = "eth0", speed = 2, loop = 3 }
pcap "slow" { lan, file = "pcap.lua", speed = "0", promisc = false }
pcap "name" { lan, ifname = "a-name-that-is-too-long" }
pcap "word" { lan, ifname = "eth0", filter = "port" }
pcap "ways" { lan, ifname = "eth0", speed = true, loop = 0 }
pcap "lost" { ifname = "eth0" }
