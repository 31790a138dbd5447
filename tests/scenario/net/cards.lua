-- Two Debian hosts with cards of arg.model do all that their driver knows: addresses by DHCP, pings of
-- all sizes, bulk data, VLANs, multicast, promiscuous mode, carrier, self-test, jumbo frames, reload.

local model = arg.model
local drivers = { ["virtio-net-pci"] = "virtio_net", pcnet = "pcnet32", e1000e = "e1000e" }
local driver = drivers[model] or "e1000"
local intel = driver == "e1000" or driver == "e1000e"

local linux = include "linux-card.lua"
local lan = vlan "lan"
guest "a" { image = "debian-net", nic { lan, model = model } }
guest "b" { image = "debian-net", nic { lan, model = model } }
user "gw" { lan }

local function address(host)
  return host:sh("ip -4 -o addr show dev eth0"):match "inet ([%d.]+)"
end

test("the driver is there, and DHCP gives addresses", function()
  for _, host in guests() do
    host:expect("bound to 10%.0%.2%.%d+", "60s")
    check(host:sh("readlink /sys/class/net/eth0/device/driver"):match "[%w_]+$" == driver)
  end
end)

test("pings of random sizes, none lost", function()
  a:sh "one() { ping -q -c 1 -W 1 -s $1 $to >/dev/null; }"
  a:sh("n=0 lost=0; some() { while [ $n -lt $1 ]; do " ..
    "n=$((n+1)); one $((RANDOM%1473)) || lost=$((lost+1)); done; }")
  a:sh("to=" .. address(b))
  a:sh("some " .. (arg.pings or "1000"), "300s")
  check(a:sh "echo lost $lost of $n" == "lost 0 of " .. (arg.pings or "1000"))
end)

test("bulk data both ways, byte for byte", function()
  for _, pair in ipairs { { a, b }, { b, a } } do
    local from, to = pair[1], pair[2]
    from:sh("dd if=/dev/urandom of=/www/big bs=64k count=32 2>/dev/null", "60s")
    local sum = from:sh("sha256sum </www/big", "60s")
    check(#sum > 64)
    check(to:sh("wget -q -O - http://" .. address(from) .. "/big | sha256sum", "60s") == sum)
  end
end)

test("iperf3 both ways", function()
  local to = address(b)
  b:sh "iperf3 -s -D"
  for _, way in ipairs { "", " -R" } do
    local said = a:sh("iperf3 -f m -n 8M -c " .. to .. way .. " | grep rec", "60s")
    local rate = said:match "([%d.]+) Mbits/sec"
    check(rate and tonumber(rate) > 5, said)
    print(model, way, rate, "Mbit/s")
  end
  b:sh "killall iperf3"
end)

linux.filters(lan)

linux.carrier(20)

if intel then
  test("ethtool's self-test passes, and its statistics have what went by", function()
    local count = a:sh "ethtool -S eth0 | grep rx_packets"
    check(tonumber(count:match "%d+") > tonumber(arg.pings or 1000), count)
    check(a:sh("ethtool -t eth0 offline", "60s"):find "The test result is PASS")
    wait "10s"
  end)

  test("frames of 9 KiB", function()
    for _, host in guests() do host:sh("ip link set eth0 mtu " .. (arg.mtu or 9000), "20s") end
    wait "5s"
    check(a:sh("ping -q -c 5 -i 0.01 -s 8900 " .. address(b), "20s"):find " 0%% packet loss")
    a:sh("wget -q -O /tmp/big http://" .. address(b) .. "/big", "60s")
    if driver == "e1000e" then print(a:sh "ethtool -S eth0 | grep rx_header_split") end
    check(a:sh("sha256sum </tmp/big", "60s") == b:sh("sha256sum </www/big", "60s"))
    for _, host in guests() do host:sh("ip link set eth0 mtu 1500", "20s") end
  end)
end

test("the driver is unloaded, and loaded again", function()
  a:sh "killall udhcpc"
  a:sh("rmmod " .. driver, "20s")
  check(a:sh "ls /sys/class/net" == "lo")
  a:sh("modprobe " .. driver, "20s")
  a:sh "ip link set eth0 up"
  a:sh("udhcpc -q -n -i eth0 -s /bin/lease 2>/dev/null", "30s")
  check(a:sh("ping -q -c 3 -i 0.01 10.0.2.2", "20s"):find " 0%% packet loss")
end)
