-- An independent judge: Linux's own driver, ne2k-pci, of the image "small".

local lan = vlan "lan" { delay = "20us" }

guest "host" { lan, append = "ip=10.0.2.9/24" }
guest "linux" { image = "small", append = "lan.ip=10.0.2.8/24", nic { lan, model = "ne2k_pci" } }

test("the driver finds the card", function()
  linux:expect("bound to 10%.0%.2%.8", "60s")
  linux:prompt "10s"
  check(linux:sh "dmesg | grep 8029":find("RealTek RTL%-8029.-" .. linux.eth0.mac))
end)

test("pings of every size arrive", function()
  for _, size in ipairs { 10, 333, 1472, 3000 } do
    check(linux:sh("ping -c 20 -i 0.01 -q -s " .. size .. " 10.0.2.9"):find " 0%% packet loss")
  end
  check(host:sh "ping -c 5 -i 0.01 -s 1472 10.0.2.8":find "5 received")
end)

test("TCP brings the right bytes, and takes them", function()
  local sum = linux:sh("wget -q -O - http://10.0.2.9/bytes/300000 | md5sum", "60s")
  check(sum:find "d6345d77785551c19a70a1ed2b7fa4bd", sum)
  linux:sh("dd if=/dev/zero bs=1000 count=300 2>/dev/null | nc -w 3 10.0.2.9 9", "60s")
  local counters = linux:sh "grep eth0 /proc/net/dev"
  check(counters:find "eth0: +%d+ +%d+ +0 +0 +0 +0 +0 +0 +%d+ +%d+ +0 +0", counters)
end)
