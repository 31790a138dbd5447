-- Debian's own kernel, four times. 'lanarium image debian' fetches it once.

local lan = vlan "lan"

for i = 1, 4 do
  guest("d" .. i) { image = "debian", memory = "96M", lan }
end

user "gw" { lan }
capture "debian.pcapng" { lan }

local address = {}

test("Linux starts and gets an address by DHCP", function()
  for i, host in guests() do
    address[i] = host:expect("bound to (10%.0%.2%.%d+)", "60s")
  end
  for _, host in guests() do host:prompt "60s" end
end)

test("every host reaches every other", function()
  for i, host in guests() do
    for j, there in ipairs(address) do
      if i ~= j then
        local answer = host:sh("ping -c 2 " .. there, "20s")
        check(answer:find "2 packets received", answer)
      end
    end
  end
end)

test("each fetches a page from the next over HTTP", function()
  for i, host in guests() do
    local page = host:sh("wget -q -O - http://" .. address[i % 4 + 1] .. "/", "20s")
    check(page == "d" .. i % 4 + 1, page)
  end
end)
