-- A switch, hosts with cards of three kinds and the user-mode stack: DHCP, DNS, ping, HTTP, TCP and
-- UDP echo, TFTP from the stack. The folder served holds "file" (--define tftp=FOLDER).

local lan = vlan "lan" { delay = "20us", rate = "1Gbit" }

guest "h1" { lan }
guest "h2" { nic { lan, offload = false, mrg_rxbuf = false } }
guest "h3" { legacy = true, lan }
user "gw" { lan, tftp = arg.tftp, restrict = true }
if not arg.unwatched then
  capture "lan.pcapng" { lan, origin = true }
  capture "h1.pcapng" { h1 }
  capture "lan.pcap" { lan }
end

if arg.extra then guest "extra" { append = "dhcp=no" } end

local hosts, address = { h1, h2, h3 }, {}

test("every host gets an address", function()
  for i, host in ipairs(hosts) do
    address[i] = host:expect("bound to (10%.0%.2%.%d+)", "10s")
  end
end)

test("every host reaches every other", function()
  for i, host in ipairs(hosts) do
    for j, there in ipairs(address) do
      if i ~= j then
        check(host:sh("ping -c 2 -i 0.1 " .. there):find "2 received")
      end
    end
    check(host:sh "ping -c 1 10.0.2.2":find "1 received")
  end
end)

test("pages, echoes and a file", function()
  for i, host in ipairs(hosts) do
    local there = address[i % 3 + 1]
    check(host:sh("http " .. there .. "/bytes/20000"):find "200")
    check(host:sh("nc " .. there .. " 7 tcp says hello"):find "tcp says hello")
    check(host:sh("nc -u " .. there .. " 7 udp says hello"):find "udp says hello")
    check(host:sh("ping -c 1 -s 4000 " .. there):find "1 received")
    if arg.tftp then
      print(host:sh("tftp 10.0.2.2 file"))
    end
  end
end)
