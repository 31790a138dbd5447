-- Two hosts of the image "small" with cards of arg.model do all that arg.driver knows: addresses by DHCP,
-- arg.pings pings of all sizes, bulk data, VLANs, multicast, promiscuous mode, carrier, reload.

local linux = include "linux-card.lua"
local lan = vlan "lan"
guest "a" { image = "small", nic { lan, model = arg.model } }
guest "b" { image = "small", nic { lan, model = arg.model } }
user "gw" { lan }
capture "lan.pcapng" { lan, origin = true }

local function address(host)
  return host:sh("ip -4 -o addr show dev eth0"):match "inet ([%d.]+)"
end

local function reaches(from, to)
  check(from:sh("ping -q -c 3 -i 0.01 " .. to, "20s"):find " 0%% packet loss")
end

test("the driver is there, and DHCP gives addresses", function()
  for _, host in guests() do
    host:expect("bound to 10%.0%.2%.%d+", "60s")
    host:prompt "60s"
    check(host:sh("readlink /sys/class/net/eth0/device/driver"):match "[^/]+$" == arg.driver)
    host:sh "dmesg -n 1" -- what the driver says of its link would come between
  end
end)

test("pings of random sizes, none lost", function()
  a:sh "n=0 lost=0; one() { ping -q -c 1 -W 1 -s $1 $to >/dev/null; }"
  a:sh "some() { while [ $n -lt $1 ]; do n=$((n+1))\none $((RANDOM%1473)) || lost=$((lost+1)); done; }"
  a:sh("to=" .. address(b))
  a:sh("some " .. arg.pings, "300s")
  check(a:sh "echo lost $lost of $n" == "lost 0 of " .. arg.pings)
end)

test("bulk data both ways, byte for byte", function()
  for i, pair in ipairs { { a, b }, { b, a } } do
    local from, to = pair[1], pair[2]
    from:sh("dd if=/dev/urandom of=/data bs=1000 count=4000 2>/dev/null", "60s")
    to:sh("nc -l -p 500" .. i .. " >/got & sleep 0.1")
    from:sh("nc " .. address(to) .. " 500" .. i .. " </data", "60s")
    to:sh("wait", "60s")
    local sum = from:sh("sha256sum </data", "60s")
    check(sum:match "^%x+" and to:sh("sha256sum </got", "60s") == sum, sum)
  end
end)

linux.filters(lan)

-- Each address has a group of its own, at which neighbours ask for it; so many that some drivers hash.
test("twenty multicast groups", function()
  a:sh "for n in 0 1 2 3 4 5 6 7 8 9; do ip addr add fd00::1:$n/64 dev eth0; done"
  a:sh "for n in 0 1 2 3 4 5 6 7 8 9; do ip addr add fd00::2:1$n/64 dev eth0; done"
  b:sh "ip addr add fd00::3/64 dev eth0"
  wait "3s"
  for n = 0, 9 do
    reaches(b, "fd00::1:" .. n)
    reaches(b, "fd00::2:1" .. n)
  end
  reaches(b, address(a))
end)

-- A driver without an interrupt for it may look once a minute; an NE2000 cannot.
if not arg.model:find "^ne2k" then linux.carrier(140) end

test("the driver lets go of the card, and takes it again", function()
  a:sh "killall udhcpc"
  local card = a:sh("readlink /sys/class/net/eth0/device"):match "[%x:.]+$"
  a:sh("cd /sys/bus/pci/drivers/" .. arg.driver .. "; echo " .. card .. " >unbind", "20s")
  check(not a:sh "ls /sys/class/net":find "eth0")
  a:sh("echo " .. card .. " >bind; cd /", "20s")
  a:sh "ip link set eth0 up"
  a:sh("udhcpc -q -n -i eth0 -s /bin/lease 2>/dev/null", "30s")
  reaches(a, "10.0.2.2")
  reaches(a, address(b))
end)
