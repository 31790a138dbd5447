local lan = vlan "lan" {
  dealy = "20us",
  zzzzzz = 1,
}
guest "h1" { kernel = "unknown_attribute.lua", lan }
