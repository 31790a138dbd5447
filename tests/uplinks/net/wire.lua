-- A guest on an interface of the host.
local lan = vlan "lan"
pcap "wire" { lan, ifname = arg.ifname }
guest "h1" { lan, append = "ip=10.9.0.2/24" }
capture "wire.pcapng" { wire }
