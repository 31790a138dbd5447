-- A VLAN with 1,000 cards of every model: arg.hosts hosts with four each, and a router that gives them
-- addresses. Whatever happens, all counters add up.

local hosts = math.tointeger(tonumber(arg.hosts))
local models = { "virtio-net", "virtio-net-pci", "e1000", "e1000e", "ne2k_pci", "ne2k_isa", "pcnet", "rtl8139", "rtl8139c",
  "tulip" }
local lan, ne2k = vlan "lan", {}
guest "router" { image = "router", memory = "4M", lan }
for i = 1, hosts do
  local cards = {}
  for n = 1, 4 do
    local model = models[(4 * i + n) % #models + 1]
    cards[n] = nic { lan, model = model }
    ne2k[i] = ne2k[i] or model:find "^ne2k"
  end
  cards.memory = "512K"
  guest("h" .. i) (cards)
end

local address, seen = {}, {}

test("every card has an address of its own", function()
  for i = 1, hosts do
    for n = 1, 4 do
      local got, eth = object("h" .. i):expect("bound to ([%d.]+).-on (eth%d)", "60s")
      check(not seen[got], got .. " was given twice")
      seen[got] = true
      if eth == "eth0" then address[i] = got end
    end
  end
  check(router:sh "leases count":find(4 * hosts .. " bound"))
end)

-- All ask at once. An NE2000 has room for 57 short frames and may lose the question, or the answer: then it
-- is asked again.
test("every host reaches its neighbour", function()
  local function ping(i) return "ping -c 3 -i 0.01 -s 1000 " .. address[i % hosts + 1] end
  for i = 1, hosts do object("h" .. i):send(ping(i) .. "\n") end
  local got = {}
  for i = 1, hosts do got[i] = object("h" .. i):expect("(%d) received", "20s") end
  for i = 1, hosts do
    if got[i] ~= "3" and (ne2k[i] or ne2k[i % hosts + 1]) then
      got[i] = object("h" .. i):sh(ping(i)):match "(%d) received"
    end
    check(got[i] == "3", "h" .. i .. " got " .. got[i])
  end
end)

test("frames sent are those of the VLAN; copies are received or dropped, each with a reason", function()
  local sent, received, dropped, reasons, ports = 0, 0, 0, 0, 0
  wait "1s"
  for _, guest in guests() do
    for _, card in ipairs(guest:nics()) do
      local st = card:stats()
      sent, received = sent + st.tx_frames, received + st.rx_frames
      dropped, ports = dropped + st.dropped, ports + 1
      for _, n in pairs(st.drops) do reasons = reasons + n end
    end
  end
  local st = lan:stats()
  print(ports .. " cards, " .. sent .. " frames, " .. st.copies .. " copies, " .. dropped .. " dropped")
  check(ports == 4 * hosts + 1)
  check(sent == st.frames, sent .. " sent, " .. st.frames .. " at the VLAN")
  check(received + dropped == st.copies, received .. " + " .. dropped .. ", not " .. st.copies)
  check(dropped == reasons)
end)
