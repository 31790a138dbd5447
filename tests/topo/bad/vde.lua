local lan = vlan "lan"
vde "a" { lan, mode = "888" }
vde "b" { lan, mode = "1000" }
vde "c" { lan, port = 70000 }
