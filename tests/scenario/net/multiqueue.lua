-- Two Debian hosts of four harts, each with four pairs of queues: on PCI, and on virtio-mmio. Streams from
-- each hart by a queue of its own, answers to that queue, fewer queues and more while data flows.
--
-- Which queue received is seen by its thread, which sleeps until something comes: the driver counts no
-- packets of each.

local legacy = arg.legacy == "yes"
local append = legacy and "virtio_pci.force_legacy=1" or ""

local lan = vlan "lan"
local function host(name, model)
  return guest(name) { image = "debian-net", harts = 4, append = append, legacy = legacy,
    nic { lan, model = model, queues = 4 } }
end
a = host("a", "virtio-net-pci")
b = host("b", "virtio-net")
user "gw" { lan }
capture "lan.pcapng" { lan, origin = true }

local ports = "5201 5202 5203 5204"

local function address(guest)
  return guest:sh("ip -4 -o addr show dev eth0"):match "inet ([%d.]+)"
end

local function combined(guest)
  return guest:sh("ethtool -l eth0 | grep Combined | tail -1"):match "%d+"
end

-- How often a has kicked each of its transmit queues, and how often each of its receive queues woke up.
local function sent()
  local n = {}
  for queue, kicks in a:sh("ethtool -S eth0 | grep tx._kicks"):gmatch "tx(%d)_kicks: (%d+)" do
    n[queue + 1] = tonumber(kicks)
  end
  check(#n == 4)
  return n
end
local function woken()
  local n = {}
  for times in a:sh "threads | sort":gmatch "napi/eth0%-%d+ %w+: (%d+)" do
    n[#n + 1] = tonumber(times)
  end
  check(#n == 4)
  return n
end

-- A stream from each hart of a, or with "-R" to each; each port is a hart's.
local function streams(options)
  a:sh "rm -f /tmp/520*"
  a:sh("for p in " .. ports .. "; do s $p " .. (options or "") .. " & done; wait", "120s")
  check(a:sh "grep -l receiver /tmp/520* | wc -l" == "4")
end

test("the drivers have four pairs of queues", function()
  for _, guest in guests() do
    guest:expect("bound to 10%.0%.2%.%d+", "60s")
    check(combined(guest) == "4")
    check(guest:sh "ls /sys/class/net/eth0/queues | grep -c rx" == "4")
    check(guest:sh "ethtool -L eth0 combined 5 2>&1":find "exceeds maximum")
  end
  b:sh("for p in " .. ports .. "; do iperf3 -s -D -p $p; done")
  a:sh "echo 1 >/sys/class/net/eth0/threaded"
  a:sh("to=" .. address(b))
  a:sh "s() { iperf3 -f m -n 1M -c $to -p $1 -A $(($1-5201)) $2 >/tmp/$1; }"
  a:sh "switches() { grep ^vol /proc/$1/status | sed 's/.*_//'; }"
  a:sh "thread() { read n </proc/$1/comm; echo $n $(switches $1); }"
  a:sh "threads() { for p in $(cd /proc; grep -l 'napi/eth0-[1-9]' */comm)\ndo thread ${p%/comm}; done; }"
end)

test("streams from four harts leave by four queues", function()
  local before = sent()
  streams()
  for i, n in ipairs(sent()) do check(n > before[i] + 5, "tx" .. i - 1) end
end)

test("streams to them come in by the queues from which they were asked for", function()
  local before = woken()
  streams "-R"
  for i, n in ipairs(woken()) do check(n > before[i] + 5, "rx" .. i - 1) end
end)

test("with two pairs it is two of them", function()
  for _, guest in guests() do
    guest:sh "ethtool -L eth0 combined 2"
    check(combined(guest) == "2")
  end
  local before = woken()
  streams "-R"
  for i, n in ipairs(woken()) do
    if i > 2 then check(n == before[i], "rx" .. i - 1) else check(n > before[i] + 5, "rx" .. i - 1) end
  end
end)

test("pairs come and go while data flows, which is the same byte for byte", function()
  for _, pair in ipairs { { a, b }, { b, a } } do
    local from, to = pair[1], pair[2]
    from:sh("dd if=/dev/urandom of=/www/big bs=64k count=16 2>/dev/null", "60s")
    local sum = from:sh("sha256sum </www/big", "60s"):match "%x+"
    check(#sum == 64)
    to:sh("from=" .. address(from))
    to:sh "get() { wget -q -O - http://$from/big | sha256sum >/tmp/sum$1; }"
    to:sh "for i in 1 2 3 4 5 6; do get $i & done"
    for _, n in ipairs { 4, 1, 3, 2, 4 } do
      for _, guest in guests() do guest:sh("ethtool -L eth0 combined " .. n, "20s") end
      check(combined(a) == tostring(n))
    end
    to:sh("wait", "120s")
    local _, same = to:sh("cat /tmp/sum[1-6]"):gsub(sum, "")
    check(same == 6)
  end
end)

test("the drivers are loaded again, and have all pairs", function()
  for _, guest in guests() do
    guest:sh "killall udhcpc"
    guest:sh("rmmod virtio_net", "20s")
    guest:sh("modprobe virtio_net", "20s")
    guest:sh "ip link set eth0 up"
    guest:sh("udhcpc -q -n -i eth0 -s /bin/lease 2>/dev/null", "30s")
    check(combined(guest) == "4")
  end
  check(a:sh("ping -q -c 5 -i 0.01 -s 1400 10.0.2.2", "20s"):find " 0%% packet loss")
end)
