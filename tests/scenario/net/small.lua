-- Two hosts of the image "small" with cards arg.left and arg.right: pings of every size, bytes both
-- ways, and a cable that is pulled out.

local lan = vlan "lan"

guest "a" { image = "small", append = "lan.ip=10.0.0.1/24", nic { lan, model = arg.left } }
guest "b" { image = "small", append = "lan.ip=10.0.0.2/24", nic { lan, model = arg.right } }
capture "lan.pcapng" { lan, origin = true }

local there = { a = "10.0.0.2", b = "10.0.0.1" }

local function ping(host, options)
  local answer = host:sh("ping -A " .. options .. " " .. there[host.name], "30s")
  check(answer:find " 0%% packet loss", answer)
end

test("they start", function()
  for _, host in guests() do
    host:expect("bound to 10.0.0", "60s")
    host:prompt "60s"
    local driver = host:sh "cat /sys/class/net/eth0/device/driver/uevent /sys/class/net/eth0/device/uevent"
    local expected = host.name == "a" and arg.left_driver or arg.right_driver
    check(driver:find("DRIVER=" .. expected, 1, true), driver)
  end
end)

test("pings of sizes up to the MTU, and beyond", function()
  for _, host in guests() do
    for _, size in ipairs { 0, 1, 17, 18, 19, 56, 255, 256, 1000, 1471, 1472, 1473, 4000 } do
      ping(host, "-c 3 -s " .. size)
    end
  end
end)

-- What `from` makes comes to `to` by TCP; both sums must be the same.
local function bulk(from, to, port, bytes)
  from:sh("dd if=/dev/urandom of=/data bs=1000 count=" .. bytes // 1000 .. " 2>/dev/null", "60s")
  to:sh("nc -l -p " .. port .. " >/got & sleep 0.1")
  from:sh("nc " .. there[from.name] .. " " .. port .. " </data", "60s")
  to:sh("wait", "60s")
  local sum = from:sh("sha256sum </data", "60s")
  check(sum:match "^%x+" and to:sh("sha256sum </got", "60s") == sum, sum)
end

test("bytes both ways", function()
  bulk(a, b, 5001, 3000000)
  bulk(b, a, 5002, 3000000)
end)

test("a cable that is pulled out and put in again", function()
  for _, host in guests() do
    host.eth0:up(false)
    wait "6s"
    check(host:sh("ping -c 1 -W 1 " .. there[host.name], "30s"):find "100%% packet loss")
    host.eth0:up(true)
    wait "8s"
    ping(host, "-c 3")
  end
end)
