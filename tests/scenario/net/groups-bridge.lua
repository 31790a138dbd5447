-- Linux as what asks who is in which group: a bridge between two VLANs, the querier of both (IGMPv2), which
-- passes a group's packets on only to where a member has reported. And as who pings and is pinged.

local left = vlan "left"
local right = vlan "right"
local group = "239.1.2.3"

guest "bridge" { image = "debian", append = "lan.ip=eth0:none lan.ip=eth1:none", left, right }
guest "a" { append = "ip=10.9.0.2/24", left }
guest "b" { append = "ip=10.9.0.3/24", nic { right, model = "e1000" } }
guest "c" { append = "ip=10.9.0.4/24", nic { right, model = "pcnet" } }
capture "left.pcapng" { left }
capture "right.pcapng" { right }

-- How many of a's pings are answered, and how many Linux has passed on.
local function pings()
  local before = c.eth0:stats().rx_frames
  local said = a:sh("ping -c 5 -i 0.01 " .. group)
  return tonumber(said:match "(%d+) received"), c.eth0:stats().rx_frames - before
end

test("Linux bridges, and asks", function()
  bridge:prompt "60s"
  bridge:sh "modprobe llc; modprobe stp; modprobe bridge; brctl addbr br0" -- one by one: images of old
  bridge:sh "cd /sys/class/net/br0/bridge; echo 1 >multicast_querier; echo 1 >multicast_query_use_ifaddr"
  for _, card in ipairs { "eth0", "eth1" } do
    bridge:sh("ip link set " .. card .. " up; brctl addif br0 " .. card)
  end
  bridge:sh "ip addr add 10.9.0.1/24 dev br0; ip link set br0 up; ip route add 224.0.0.0/4 dev br0"
  left:expect("igmp[0] = 0x11 and dst host 224.0.0.1", "60s")
  wait "60s"
  check(a:sh("ping -c 1 10.9.0.3"):find "1 received")
end)

test("it passes on what is sent to a group, after a member's report", function()
  local answered, passed = pings()
  check(answered == 0 and passed == 0, answered .. " answered, " .. passed .. " passed")
  b:sh("mcast join " .. group)
  wait "1s"
  answered, passed = pings()
  check(answered == 5 and passed >= 5, answered .. " answered, " .. passed .. " passed")
end)

test("the member answers its queries, so the group stays", function()
  for _ = 1, 3 do
    right:expect("igmp[0] = 0x11 and dst host 224.0.0.1", "130s")
    right:expect("igmp[0] = 0x16 and src host 10.9.0.3 and dst host " .. group, "11s")
  end
  wait "300s"
  check(pings() == 5)
end)

test("of two members, one answers for both", function()
  c:sh("mcast join " .. group)
  wait "1s"
  while pcall(right.expect, right, "igmp", "1ms") do end -- what was before does not count
  local reports = 0
  right:expect("igmp[0] = 0x11 and dst host 224.0.0.1", "130s")
  while pcall(right.expect, right, "igmp[0] = 0x16 and dst host " .. group, "11s") do reports = reports + 1 end
  check(reports == 1, reports .. " reports")
  c:sh("mcast leave " .. group)
  wait "5s"
end)

test("Linux's own pings are answered by a member, and Linux answers those of all", function()
  local said = bridge:sh("ping -c 1 -W 1 " .. group, "10s")
  check(said:find "from 10.9.0.3", said)
  bridge:sh "echo 0 >/proc/sys/net/ipv4/icmp_echo_ignore_broadcasts"
  said = a:sh "ping -c 1 224.0.0.1"
  for last = 1, 4 do check(said:find("from 10.9.0." .. last, 1, true), said) end
end)

test("after the last member's leave it asks for the group, and forgets it", function()
  check(pings() == 5)
  b:sh("mcast leave " .. group)
  right:expect("igmp[0] = 0x11 and igmp[4:4] = 0xef010203", "2s")
  wait "5s"
  local answered, passed = pings()
  check(answered == 0 and passed == 0, answered .. " answered, " .. passed .. " passed")
end)
