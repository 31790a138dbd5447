-- Groups among the shipped hosts, one with each kind of filter, one with none, and a clone of a member.

local lan = vlan "lan" { delay = "20us" }

guest "a" { append = "ip=10.9.0.1/24", lan }
local member = guest "member" { append = "ip=10.9.0.2/24", nic { lan, model = "e1000" } }
guest "other" { append = "ip=10.9.0.3/24", nic { lan, model = "pcnet" } }
guest "legacy" { append = "ip=10.9.0.4/24", legacy = true, lan }
guest "absent" { append = "ip=10.9.0.5/24", nic { lan, model = "rtl8139" } }
guest "router" { image = "router", append = "eth0=10.9.0.6/24", nic { lan, model = "ne2k_pci" } }
guest "far" { append = "ip=10.9.0.8/24", nic { lan, delay = "100ms" } }
guest "mute" { append = "dhcp=no", lan }
guest "twin" { clone = member, at = "eth0 239%.9%.9%.9 " }
capture "lan.pcapng" { lan }

-- Who answers a ping of the group, by the last number of the address.
local function who(guest, group)
  local said, seen = guest:sh("ping -c 1 " .. group), {}
  for last in said:gmatch "from 10%.9%.0%.(%d+): icmp_seq=1" do seen[#seen + 1] = last end
  table.sort(seen)
  return table.concat(seen, " "), said
end

local function check_who(guest, group, expected)
  local seen, said = who(guest, group)
  check(seen == expected, guest.name .. " " .. group .. ": " .. said)
end

test("all that are in a group answer, and nobody else", function()
  for _, guest in guests() do if guest ~= twin then guest:prompt() end end
  check_who(a, "239.1.1.1", "")
  check(a:sh "nc -u 239.1.1.1 7 nobody" == "no answer")
  for _, guest in ipairs { member, other, legacy, router } do guest:sh "mcast join 239.1.1.1" end
  check_who(a, "239.1.1.1", "2 3 4 6")
  check_who(a, "239.1.1.2", "")
end)

-- It hears, but has no address to answer from.
test("a host without an address says nothing", function()
  mute:sh "mcast join 239.1.1.1"
  lan:expect("igmp[0] = 0x16 and ether src " .. mute.eth0.mac, "1s")
  check_who(a, "239.1.1.1", "2 3 4 6")
  check_who(a, "224.0.0.1", "1 2 3 4 5 6 8")
  check(not pcall(lan.expect, lan, "icmp[0] = 0 and ether src " .. mute.eth0.mac, "1ms"))
end)

test("nc prints what each of them says", function()
  local seen = {}
  for last in a:sh("nc -u 239.1.1.1 7 one two"):gmatch "10%.9%.0%.(%d+): one two" do seen[#seen + 1] = last end
  table.sort(seen)
  check(table.concat(seen, " ") == "2 3 4 6")
end)

test("a member hears itself", function()
  check_who(member, "239.1.1.1", "2 3 4 6")
  check(member:sh("nc -u 239.1.1.1 7 oneself"):find("10.9.0.2: oneself", 1, true))
  check_who(absent, "239.1.1.1", "2 3 4 6")
end)

test("what is wrong is said", function()
  check(member:sh "mcast join 239.1.1.1" == "mcast: it is in that group already")
  check(member:sh "mcast leave 239.1.1.2" == "mcast: it is not in that group")
  check(member:sh "mcast join 10.9.0.1" == "mcast: groups are 224.0.0.0 to 239.255.255.255")
  check(member:sh "mcast join 239.1.1.3 eth9" == "mcast: no such interface")
  check(member:sh("mcast join"):find "usage: mcast")
  check(member:sh("http 239.1.1.1"):find "unreachable")
end)

test("a member with nothing to do sleeps", function()
  wait "10s"
  local before = member:stats().instructions
  wait "1h"
  local more = member:stats().instructions - before
  check(more < 1000, more .. " instructions in an hour")
end)

test("answers that are long under way all count, and none twice", function()
  check(a:sh "ping -c 1 10.9.0.8":find "1 received")
  local said = a:sh("ping -c 500 -i 0.001 10.9.0.8", "10s")
  check(said:find "500 packets transmitted, 500 received, 0%% packet loss", said:match "500 packets[^\n]*")
  check(not said:find "DUP")
end)

-- A legacy card lets everything past. Waking up, looking at a frame and sleeping again take 1,100 instructions,
-- and lwIP would take another thousand.
test("what others hear costs a host no more than a look", function()
  a:sh "ping -c 1 239.1.1.2"
  local before = legacy:stats().instructions
  check(a:sh("ping -c 100 -i 0.001 -s 1000 239.1.1.2"):find " 0 received")
  local each = (legacy:stats().instructions - before) / 100
  check(each < 1500, each .. " instructions a frame")
end)

test("a clone is in its original's groups, and says so", function()
  member:sh "mcast join 239.9.9.9"
  wait "1s"
  member:send "mcast\n"
  member:expect "239.9.9.9 "
  twin:prompt()
  lan:expect("igmp[0] = 0x16 and dst host 239.9.9.9 and ether src " .. twin.eth0.mac, "1s")
  twin:sh "ifconfig eth0 10.9.0.7/24"
  check_who(a, "239.9.9.9", "2 7")
  twin:sh "mcast leave 239.9.9.9"
  check_who(a, "239.9.9.9", "2")
  check_who(a, "239.1.1.1", "2 3 4 6 7")
end)
