-- Clones: one guest starts, and the others are made from it in a fraction of a millisecond each.
-- With Debian's kernel: lanarium run --define image=debian clone.lua

local clones = math.tointeger(tonumber(arg.clones or 20))
check(clones and clones >= 2, "clones is a number, 2 at least")

local lan = vlan "lan"
guest "router" { image = "router", memory = "4M", lan }
guest "first" { image = arg.image or "host", lan }

for i = 1, clones do
  guest("h" .. i) { clone = first }
end

capture "clone.pcapng" { lan }

local address, mac = {}, {}

test("each clone has a name, a card and a lease of its own", function()
  for i = 1, clones do
    local h = object("h" .. i)
    address[i] = h:expect("bound to ([%d.]+)", "60s")
    check(not mac[h.eth0.mac], "two have the address " .. h.eth0.mac)
    check(not mac[address[i]], "two have the lease " .. address[i])
    mac[h.eth0.mac], mac[address[i]] = h, h
  end
end)

test("each reaches the next", function()
  for i = 1, clones do
    local answer = object("h" .. i):sh("ping -c 2 " .. address[i % clones + 1], "20s")
    check(answer:find "2 received" or answer:find "2 packets received", answer)
  end
end)
