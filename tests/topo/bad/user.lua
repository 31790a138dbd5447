local lan = vlan "lan"
user "gw" { lan,
  tftp = "/nonexistent",
  hostfwd = { "tcp::2222-:22", 5 },
}
guest "h1" { kernel = "user.lua", lan }
