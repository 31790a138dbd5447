local lan = vlan "lan" {}
lan {}
