-- Tests of a Linux driver that need nothing but busybox, between the hosts a and b.

local linux = {}

local function received(host)
  return tonumber(host:sh "cat /sys/class/net/eth0/statistics/rx_packets")
end

-- What the card lets in and keeps out, on a VLAN: tags, groups, everything.
function linux.filters(lan)
  test("VLAN interfaces, with frames of the whole length", function()
    for i, host in ipairs { a, b } do
      host:sh "modprobe 8021q 2>/dev/null; vconfig add eth0 5 >/dev/null"
      host:sh("ip addr add 10.5.0." .. i .. "/24 dev eth0.5; ip link set eth0.5 up")
    end
    check(a:sh("ping -q -c 3 -i 0.01 -s 1472 10.5.0.2", "20s"):find " 0%% packet loss")
    local frame = lan:expect "vlan 5 and icmp"
    check(frame.length == 1518, frame.length)
  end)

  -- On the VLAN, where the user-mode stack does not hear it.
  test("a multicast group is let in, another is not, and all in promiscuous mode", function()
    a:sh "echo 0 >/proc/sys/net/ipv4/icmp_echo_ignore_broadcasts"
    b:sh "ip route add 224.0.0.0/4 dev eth0.5"
    check(b:sh("ping -c 1 -W 1 224.0.0.1", "10s"):find "from 10.5.0.1")
    b:sh "arp -s 10.5.0.98 01:00:5e:01:02:63"
    b:sh "arp -s 10.5.0.99 02:00:00:00:00:77"
    local function pass() -- how many of six frames to others; the two may look for each other meanwhile
      local before = received(a)
      for _, last in ipairs { 98, 99 } do
        b:sh("timeout 1 ping -q -c 3 -i 0.01 10.5.0." .. last, "10s")
      end
      return received(a) - before
    end
    check(pass() < 3)
    a:sh "ip link set eth0 promisc on"
    check(pass() >= 6)
    a:sh "ip link set eth0 promisc off"
    check(pass() < 3)
    a:sh "ifconfig eth0 allmulti"
    local some = pass()
    check(some >= 3 and some < 6, some)
    a:sh "ifconfig eth0 -allmulti"
    for _, host in guests() do host:sh "ip link del eth0.5" end
  end)
end

-- The driver sees that the cable goes and comes, after as many half seconds at most.
function linux.carrier(patience)
  test("carrier goes and comes", function()
    local function carrier(want)
      for _ = 1, patience do
        if a:sh "cat /sys/class/net/eth0/carrier" == want then return end
        wait "500ms"
      end
      fail("the carrier is not " .. want)
    end
    local to = b:sh("ip -4 -o addr show dev eth0"):match "inet ([%d.]+)"
    carrier "1"
    a.eth0:up(false)
    carrier "0"
    a.eth0:up(true)
    carrier "1"
    check(a:sh("ping -q -c 3 -i 0.01 " .. to, "20s"):find " 0%% packet loss")
  end)
end

return linux
