local a, b, c, d = vlan "a", vlan "b", vlan "c", vlan "d"
guest "h1" { a }
patch "p" { a, b }
patch "q" { b, c, delay = "1us" }
patch "r" { c, d }
patch "round" { a, c }
patch "twice" { d, c }
patch "self" { a, a }
patch "one" { a }
patch "two" { }
patch "three" { a, b, c }
patch "q" { d, a, mtu = 5 }
patch "h" { h1, a }
