-- A LAN: three hosts on a switch, and the user-mode stack that gives them their addresses.

local lan = vlan "lan" { delay = "20us", rate = "1Gbit" }

for i = 1, 3 do
  guest("h" .. i) { lan }
end

user "gw" { lan }
capture "lan.pcapng" { lan, origin = true }

local address = {}

test("every host gets an address by DHCP", function()
  for i, host in guests() do
    address[i] = host:expect("bound to (10%.0%.2%.%d+)", "10s")
  end
end)

test("every host reaches every other", function()
  for i, host in guests() do
    for j, there in ipairs(address) do
      if i ~= j then
        host:send("ping -c 3 " .. there .. "\n")
        host:expect("3 packets transmitted, 3 received", "10s")
      end
    end
  end
  lan:expect("icmp[icmptype] = icmp-echoreply and dst host " .. address[1])
end)

test("a page comes over HTTP", function()
  local answer = h1:sh("http " .. address[2])
  check(answer:find "200 OK", answer)
  lan:expect("tcp[tcpflags] & tcp-fin != 0 and src host " .. address[2])
end)
