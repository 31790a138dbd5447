guest "h1" { kernel = "disks.lua", disk { "disks.lua", writable = true } }
guest "h2" { kernel = "disks.lua", disk "../bad/disks.lua" }
guest "h3" { kernel = "disks.lua", disk "disks.want", disk "disks.want" }
guest "h4" { kernel = "disks.lua",
  disk { "disks.lua", writable = true } }
