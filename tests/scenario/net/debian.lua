-- Two Debian hosts with what the example leaves out: two harts, a disk (the file arg.disk, whose MD5 is
-- arg.sum, and the run must not change it), the legacy interface, a card without offload; and a
-- shipped host that fetches their pages.

local lan = vlan "lan" { delay = "50us" }

guest "d1" { image = "debian", memory = "112M", harts = 2, lan, disk { arg.disk } }
guest "d2" { image = "debian", memory = "96M", legacy = true, nic { lan, offload = false } }
guest "h1" { lan }
user "gw" { lan }
capture "lan.pcapng" { lan, origin = true }

test("they start", function()
  for _, host in guests() do host:expect("bound to 10%.0%.2%.%d+", "60s") end
  for _, host in guests() do host:prompt "60s" end
  check(d1:sh "grep -c ^processor /proc/cpuinfo" == "2")
  check(d2:sh "cat /sys/bus/virtio/devices/virtio0/status" ~= "")
end)

test("pages and bytes", function()
  local address = d1:sh("ip -4 -o addr show dev eth0"):match "inet ([%d.]+)"
  check(h1:sh("http " .. address):find "200 OK")
  check(d2:sh("wget -q -O - http://" .. address .. "/", "20s") == "d1")
  d1:sh "dd if=/dev/urandom of=/www/big bs=1000 count=1000 2>/dev/null"
  local sum = d1:sh("md5sum < /www/big", "20s")
  check(d2:sh("wget -q -O - http://" .. address .. "/big | md5sum", "30s") == sum, sum)
end)

test("the disk is read and written", function()
  local sum = d1:sh("md5sum < /dev/vda", "20s")
  check(sum:match "%x+" == arg.sum, sum)
  d1:sh "dd if=/dev/zero of=/dev/vda bs=512 count=8 2>/dev/null; sync; echo 3 > /proc/sys/vm/drop_caches"
  check(d1:sh("md5sum < /dev/vda", "20s") ~= sum, "it reads what it wrote")
end)

test("they stop", function()
  d1:send "poweroff\n"
  d2:send "poweroff\n"
  d1:expect_off "20s"
  d2:expect_off "20s"
end)
