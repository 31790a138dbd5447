local lan = vlan "lan"
guest "h1" { kernel = "captures.lua", lan }
capture "x.pcap" { lan, filter = "foo bar", format = "pcapp" }
capture "x.pcap" { lan }
capture "y.pcap" { "lan" }
