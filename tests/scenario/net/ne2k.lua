-- NE2000s on either bus beside virtio-net on either transport: each host picks the driver of its
-- card. DHCP from the user-mode stack and from a router, which has an NE2000 itself; ping, TCP.

local lan = vlan "lan" { delay = "20us" }
local far = vlan "far" { delay = "20us", rate = "100Mbit" }

guest "pci" { nic { lan, model = "ne2k_pci" } }
guest "isa" { nic { lan, model = "ne2k_isa", iobase = 0x320, irq = 5 },
  append = "route=10.1.0.0/16,10.0.2.200" }
guest "mmio" { lan }
guest "virt" { nic { lan, model = "virtio-net-pci" } }
user "gw" { lan, restrict = true }

guest "router" {
  image = "router",
  nic { lan, model = "ne2k_isa" }, nic { far, model = "ne2k_pci" },
  append = "eth0=10.0.2.200/24 eth1=10.1.0.1/16,pool=10.1.1.0-10.1.1.9",
}
guest "distant" {
  far, nic { lan, model = "ne2k_isa" }, nic { lan, model = "ne2k_pci" },
}
if not arg.unwatched then
  capture "lan.pcapng" { lan }
  capture "far.pcapng" { far }
end

local hosts, address = { pci, isa, mmio, virt }, {}

test("each host has the driver of its card, and an address", function()
  for i, model in ipairs { "ne2k_pci", "ne2k_isa", "virtio%-net", "virtio%-net%-pci" } do
    hosts[i]:expect("lanarium host: " .. model .. " 52:54:00", "1s")
    address[i] = hosts[i]:expect("bound to (10%.0%.2%.%d+)", "10s")
  end
end)

test("every host reaches every other, with packets of any size", function()
  for i, host in ipairs(hosts) do
    for j, there in ipairs(address) do
      if i ~= j then
        for _, size in ipairs { 0, 1, 18, 56, 333, 1472, 4000 } do
          check(host:sh("ping -c 2 -i 0.01 -s " .. size .. " " .. there):find "2 received")
        end
      end
    end
    check(host:sh "ping -c 1 10.0.2.2":find "1 received")
  end
end)

test("bulk transfers, each to each at once", function()
  for i, host in ipairs(hosts) do
    host:send("send " .. address[i % #hosts + 1] .. " -n 400000\n")
  end
  for _, host in ipairs(hosts) do host:prompt "60s" end
  for i, host in ipairs(hosts) do
    check(host:sh("http " .. address[i % #hosts + 1] .. "/bytes/20000"):find "200")
    check(host:sh("nc -u " .. address[i % #hosts + 1] .. " 7 udp says hello"):find "says hello")
  end
end)

test("a router with NE2000s, and a host with three cards behind it", function()
  distant:prompt()
  local cards = distant:sh "ip"
  for i, card in ipairs { "virtio%-net .-inet 10.1.1.%d+/16", "ne2k_isa .-inet 10.0.2.%d+/24",
                          "ne2k_pci .-inet 10.0.2.%d+/24" } do
    check(cards:find("eth" .. i - 1 .. ": " .. card), cards)
  end
  check(distant:sh "ping -c 2 -i 0.01 -s 1472 10.1.0.1":find "2 received")
  check(isa:sh "ping -c 2 -i 0.01 -s 1472 10.1.0.1":find "2 received")
end)
