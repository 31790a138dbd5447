local lan = vlan "lan"
gest "h1" { lan }
