local lan = vlan "lan"
guest "h1" { kernel = "queues.lua",
  nic { lan, model = "e1000e", queues = 2 },
  nic { lan, model = "virtio-net-pci", queues = 8 },
  nic { lan, queues = 9 },
  nic { lan, queues = 0 },
  nic { lan, model = "ne2k_pci", queues = 1 },
  nic { lan, model = "e1001", queues = 2 } }
guest "h2" { kernel = "queues.lua", nic { lan, queues = 2 } }
guest "h3" { clone = h2, at = "x", nic { lan, queues = 4 } }
