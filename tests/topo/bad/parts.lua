local lan = vlan "lan"
local h1 = guest "h1" { kernel = "parts.lua",
  nic { lan, model = "e1001", },
  nic { lan, name = "eth0", queue_size = 100 }, nic { lan, name = "x" } }
nic { lan }
local n = h1.x
guest "h2" { kernel = "parts.lua", n }
guest "h3" { kernel = "parts.lua", 5 }
guest "h4" { kernel = "parts.lua", nic { lan, lan } }
user "gw" {}
