guest "h1" { kernel = "addresses.lua",
  nic { mac = "01:00:00:00:00:00" },
  nic { mac = "00:00:00:00:00:00" },
  nic { mac = "52:54" },
  nic { mac = "52:54:00:00:00:01" } }
guest "h2" { kernel = "addresses.lua", nic { mac = "52:54:00:00:00:01" } }
