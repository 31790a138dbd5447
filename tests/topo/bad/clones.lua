local lan = vlan "lan"
local far = vlan "far"
guest "first" { lan, far, memory = "2M", disk { "clones.want", writable = true } }
guest "u" { image = "host", bios = "none", lan }

guest "a" { clone = "nobody" }
guest "b" { clone = b }
guest "c" { clone = lan }
guest "d" { clone = u, lan, at = "(" }
guest "e" { clone = u, lan, lan }
guest "f" { clone = u, nic { lan, mtu = 1400 } }
guest "g" { clone = u, harts = 2 }
guest "h" { clone = u, disk "clones.want" }
guest "i" { at = "nothing", lan }
guest "j" { clone = first }
guest "k" { kernel = "clones.want", lan }
guest "l" { clone = k }
guest "m" { clone = u, memory = "1M", nic { far, mac = "52:54:00:00:00:01", delay = "1ms" } }
