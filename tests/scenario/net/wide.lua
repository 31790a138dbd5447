-- A host with 32 PCI cards on 32 VLANs, more than a bus has slots; of every model in turn. Each pings
-- its peer, and is pinged by it.

local models = { "virtio-net-pci", "e1000", "rtl8139", "pcnet", "ne2k_pci", "e1000e", "rtl8139c", "tulip" }
local cards, fixed = {}, {}
for i = 1, 32 do
  local lan = vlan("lan" .. i) { delay = "20us" }
  cards[i] = nic { lan, model = models[i % #models + 1] }
  fixed[i] = "ip=10." .. i .. ".0.1/16"
  guest("p" .. i) { lan, append = "ip=10." .. i .. ".0.2/16" }
end
cards.memory = "4M"
cards.append = table.concat(fixed, " ")
guest "wide" (cards)

test("every card is found, those behind bridges too", function()
  wide:prompt "10s"
  local all = wide:sh "ip"
  for i = 1, 32 do
    check(all:find("eth" .. i - 1 .. ": %g+ " .. wide["eth" .. i - 1].mac ..
                   " mtu 1500 link up\n +inet 10%." .. i .. "%.0%.1/16"), all)
  end
end)

test("each reaches the peer on its own VLAN, with packets of any size, and is reached", function()
  for i = 1, 32 do
    for _, size in ipairs { 0, 56, 1472, 4000 } do
      check(wide:sh("ping -c 2 -i 0.01 -s " .. size .. " 10." .. i .. ".0.2"):find "2 received")
    end
    check(object("p" .. i):sh("ping -c 2 -i 0.01 10." .. i .. ".0.1"):find "2 received")
  end
end)

test("bulk transfers over all cards at once", function()
  for i = 1, 32 do object("p" .. i):send("send 10." .. i .. ".0.1 -n 50000\n") end
  for i = 1, 32 do wide:expect("received 50000 bytes", "60s") end
end)

test("nothing was lost", function()
  for i = 1, 32 do
    local peer, card = object("p" .. i).eth0:stats(), wide["eth" .. i - 1]:stats()
    local lan = object("lan" .. i):stats()
    check(peer.dropped == 0)
    check(lan.frames == peer.tx_frames + card.tx_frames)
    check(lan.copies == peer.rx_frames + card.rx_frames + card.dropped)
  end
end)
