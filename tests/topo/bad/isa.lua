local lan = vlan "lan"
guest "h1" {
  nic { lan, model = "ne2k_isa" },
  nic { lan, model = "ne2k_isa", irq = 10 },
  nic { lan, model = "ne2k_isa", iobase = 0x320 },
  nic { lan, model = "ne2k_isa", iobase = 0x350, irq = 11 },
}
guest "h2" { nic { lan, model = "ne2k_isa" }, nic { lan, model = "ne2k_isa", iobase = 0x10000, irq = 10 } }
guest "h3" { nic { lan, model = "ne2k_isa" }, nic { lan, model = "ne2k_isa" } }
guest "h4" { nic { lan, model = "ne2k_isa", irq = 16 } }
guest "good" { nic { lan, model = "ne2k_isa" }, nic { lan, model = "ne2k_isa", iobase = 0x320, irq = 5 },
  nic { lan, model = "e1000" }, nic { lan, model = "ne2k_pci" } }
