-- Clones of a host at several points, a clone of a clone, a shared disk; with Debian: image=debian.

local lan = vlan "lan"
local far = vlan "far"
local debian = arg.image == "debian"
local disk_of = arg.disk and { disk(arg.disk) } or {}
guest "router" { image = "router", memory = "4M", append = "eth0=10.1.0.1/24,pool=10.1.0.10-10.1.0.99", lan }
guest "first" { image = arg.image or "host", memory = debian and "96M" or nil, lan, disk_of[1] }

guest "a" { clone = first }
guest "b" { clone = first, nic { lan, mac = "52:54:00:aa:bb:cc", delay = "33us" } }
guest "c" { clone = a, at = "bound to" }
guest "d" { clone = b, at = "b[#>] ", far }
guest "never" { clone = first, at = "this is not printed" }

capture "lan.pcapng" { lan }
capture "c.pcapng" { c }

local address = {}

test("each gets its own address", function()
  for _, name in ipairs { "a", "b", "c" } do
    local h = object(name)
    address[name] = h:expect("bound to (10%.1%.0%.%d+)", "60s")
    for other, there in pairs(address) do
      check(other == name or there ~= address[name], name .. " and " .. other .. " have " .. there)
    end
  end
  check(b.eth0.mac == "52:54:00:aa:bb:cc" and a.eth0.mac ~= first.eth0.mac)
end)

test("they are called as they should be, and answer", function()
  for _, h in ipairs { a, b, c } do
    local answer = h:prompt("30s"):sh("ping -c 3 10.1.0.1", "20s")
    check(answer:find "3 received" or answer:find "3 packets received", answer)
  end
  local answer = a:sh("ping -c 1 " .. address.c, "20s")
  check(answer:find "1 received" or answer:find "1 packets received", answer)
end)

test("one on another VLAN reaches nobody", function()
  while d:state() == "waiting" do wait "10ms" end
  check(d.eth0:stats().rx_frames == 0)
  far:expect("udp port 67", "20s")
end)

test("what was never reached was never made", function()
  local state = never:state()
  check(state == "waiting", state)
  local good, why = pcall(never.send, never, "x")
  check(not good and tostring(why):find "not there yet", why)
end)

test("Linux draws other random numbers, and shares what was on the disk", function()
  if not debian then return end
  local drawn = {}
  for _, h in ipairs { a, b, c } do
    local bytes = h:sh "head -c 12 /dev/urandom | hexdump -v -e '1/1 \"%02x\"'; echo"
    check(#bytes == 24 and not drawn[bytes], bytes)
    drawn[bytes] = true
    check(h:sh "hostname" == h.name)
    check(h:sh("cat /sys/class/net/eth0/address") == h.eth0.mac)
  end
  if not arg.disk then return end
  a:sh "echo of a >/dev/vda"
  b:sh "echo of b >/dev/vda"
  check(a:sh("sync; echo 3 >/proc/sys/vm/drop_caches; head -n 1 /dev/vda") == "of a")
  check(b:sh("sync; echo 3 >/proc/sys/vm/drop_caches; head -n 1 /dev/vda") == "of b")
end)
