vlan "lan"
vlan "lan"
guest "lan" { kernel = "names.lua" }
vlan "b ad"
