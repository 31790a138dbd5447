-- One card (--define model=NAME) in a host beside a virtio host: the host finds the driver by itself.
-- The traffic is the same whatever the card: see tests/scenario/host-cards.

local lan = vlan "lan" { delay = "20us", rate = "100Mbit" }

guest "host" { nic { lan, model = arg.model } }
guest "peer" { lan, append = "ip=10.0.2.9/24" }
user "gw" { lan, restrict = true }
capture "lan.pcapng" { lan }

local driver = arg.model:gsub("^e1000.*", "e1000"):gsub("^rtl8139c$", "rtl8139")
local shows_link = not (arg.model:find "^ne2k" or arg.model == "pcnet")
local address

local function received(guest)
  return tonumber(guest:sh("ip"):match "received (%d+) frames")
end

-- What became of five pings to a group: how many the host answered, its card let past, and filtered.
local function pings(group)
  local taken, came = received(host), host.eth0:stats().rx_frames
  local said = peer:sh("ping -c 5 -i 0.01 " .. group)
  taken, came = received(host) - taken, host.eth0:stats().rx_frames - came
  return tonumber(said:match "(%d+) received"), taken, came - taken
end

local function check_pings(group, answered, taken, filtered)
  local a, t, f = pings(group)
  check(a == answered and t == taken and f == filtered,
    group .. ": " .. a .. " answered, " .. t .. " taken, " .. f .. " filtered")
end

test("the host has the driver of its card, and an address by DHCP", function()
  host:expect("lanarium host: " .. driver:gsub("%-", "%%-") .. " " .. host.eth0.mac, "1s")
  address = host:expect("bound to (10%.0%.2%.%d+)", "10s")
  host:prompt()
  peer:prompt()
end)

test("pings of every size arrive, both ways", function()
  for size = 0, 1472 do
    local ask = "ping -c 1 -s " .. size .. " "
    check(host:sh(ask .. "10.0.2.9"):find "1 received", "host to peer, " .. size)
    check(peer:sh(ask .. address):find "1 received", "peer to host, " .. size)
  end
  check(host:sh "ping -c 2 -i 0.01 -s 8000 10.0.2.9":find "2 received", "in fragments")
  check(peer:sh("ping -c 2 -i 0.01 -s 8000 " .. address):find "2 received", "in fragments")
  check(host:sh "ping -c 1 10.0.2.2":find "1 received", "the user-mode stack")
end)

test("bulk TCP, one way, the other, and both at once", function()
  host:send "send 10.0.2.9 -n 600000\n"
  peer:expect("received 600000 bytes", "60s")
  peer:send("send " .. address .. " -n 600000\n")
  host:expect("received 600000 bytes", "60s")
  host:prompt()
  peer:prompt()
  host:send "send 10.0.2.9 -n 300000\n"
  peer:send("send " .. address .. " -n 300000\n")
  host:expect("received 300000 bytes", "60s")
  peer:expect("received 300000 bytes", "60s")
  check(peer:sh("http " .. address .. "/bytes/40000"):find "200")
  check(host:sh "http 10.0.2.9/bytes/40000":find "200")
end)

test("the card takes broadcasts in", function()
  local before = received(host)
  for i = 1, 5 do peer:sh("ping -c 1 10.0.2.20" .. i, "20s") end -- which nobody has: ARP asks
  local more = received(host) - before
  check(more >= 5, more .. " of 5 or more")
end)

test("a group is let in while it is joined, and filtered by the card before and after", function()
  wait "10s" -- the peer looks for nobody any more
  check_pings("239.1.2.3", 0, 0, 5)
  check(host:sh "mcast join 239.1.2.3" == "")
  lan:expect "igmp[0] = 0x16 and dst host 239.1.2.3 and ip[8] = 1"
  wait "1s" -- it reports twice
  check(host:sh "mcast" == "eth0 224.0.0.1 01:00:5e:00:00:01\neth0 239.1.2.3 01:00:5e:01:02:03")
  check_pings("239.1.2.3", 5, 5, 0)
  check(peer:sh "nc -u 239.1.2.3 7 who is there" == address .. ": who is there")
  peer:send "send -u 239.1.2.3 -n 50000 -b 10\n"
  host:expect("received 50000 bytes from 10.0.2.9 .* 0 of 36 datagrams lost", "5s")
  peer:prompt()
  check(host:sh "mcast leave 239.1.2.3" == "")
  lan:expect "igmp[0] = 0x17 and dst host 224.0.0.2 and ip[8] = 1"
  check_pings("239.1.2.3", 0, 0, 5)
end)

test("other groups than the one that is joined do not pass the card", function()
  local passed = 0
  host:sh "mcast join 239.1.2.3"
  for i = 1, 15 do
    local answered, taken = pings("239.1." .. 16 * i .. ".3")
    check(answered == 0)
    passed = passed + taken // 5
  end
  check(passed <= 2, passed .. " of 15 passed") -- of 64 bits, two are set
  host:sh "mcast leave 239.1.2.3"
end)

test("groups that share a bit of the card's filter, or an address, are told apart", function()
  host:sh "mcast join 239.1.2.3"
  check_pings("239.129.2.3", 0, 5, 0) -- the same address, so the card cannot tell
  host:sh "mcast join 239.129.2.3"
  check_pings("239.129.2.3", 5, 5, 0)
  host:sh "mcast leave 239.1.2.3"
  check_pings("239.129.2.3", 5, 5, 0)
  check_pings("239.1.2.3", 0, 5, 0)
  host:sh "mcast leave 239.129.2.3"
  check_pings("239.129.2.3", 0, 0, 5)
end)

test("forty groups at once", function()
  local passed = 0
  for i = 1, 40 do host:sh("mcast join 239.2." .. i .. "." .. i * 3) end
  for i = 1, 40 do
    check(peer:sh("ping -c 1 239.2." .. i .. "." .. i * 3):find "1 received", i)
  end
  for i = 1, 40 do host:sh("mcast leave 239.2." .. i .. "." .. i * 3) end
  for i = 1, 40 do
    local answered, taken = pings("239.2." .. i .. "." .. i * 3)
    check(answered == 0)
    passed = passed + taken
  end
  check(passed <= 3 * 5, passed .. " of 200 frames passed") -- those that look like 224.0.0.1
end)

test("every host answers for 224.0.0.1, and is in it always", function()
  local said = peer:sh "ping -c 1 224.0.0.1"
  check(said:find("from " .. address, 1, true) and said:find("from 10.0.2.9", 1, true), said)
  check(said:find "1 received, %+1 duplicates, 0%% packet loss", said)
  check(host:sh "mcast leave 224.0.0.1":find "every host is in")
end)

test("the cable is pulled out and plugged in again", function()
  host.eth0:up(false)
  wait "10ms"
  check(host:sh("ip"):find(shows_link and "link down" or "link up"))
  check(host:sh("ping -c 1 10.0.2.9", "20s"):find(shows_link and "unreachable" or " 0 received"))
  host.eth0:up(true)
  wait "3s"
  check(host:sh("ip"):find "link up")
  check(host:sh "ping -c 3 -i 0.01 10.0.2.9":find "3 received")
  check(peer:sh("ping -c 3 -i 0.01 -s 1472 " .. address):find "3 received")
end)

test("nothing was dropped by a guest", function()
  for _, guest in ipairs { host, peer } do
    local counters = guest:sh "ip"
    check(counters:find "sent %d+ frames %d+ bytes 0 dropped", counters)
    check(counters:find "received %d+ frames %d+ bytes 0 dropped", counters)
  end
end)
