-- U-Boot as M-mode firmware, and in S-mode as what OpenSBI starts: an address by DHCP, ping, and a
-- file of arg.bytes bytes by TFTP from the folder arg.tftp.

local lan = vlan "lan"

guest "m" { bios = "u-boot", lan }
guest "s" { bios = "opensbi", image = "u-boot", lan }
user "gw" { lan, tftp = arg.tftp }
capture "lan.pcapng" { lan }

test("both reach the prompt", function()
  s:expect("OpenSBI v[%d.]+", "10s")
  for _, board in guests() do
    board:expect("Hit any key to stop autoboot", "10s")
    board:send " "
    board:prompt "10s"
  end
end)

test("DHCP, ping, TFTP", function()
  for _, board in guests() do
    check(board:sh("setenv autoload no; dhcp", "30s"):find "DHCP client bound to address 10%.0%.2%.1[56]")
    check(board:sh("ping 10.0.2.2", "30s"):find "host 10.0.2.2 is alive")
    local answer = board:sh("tftpboot 0x84000000 10.0.2.2:file", "30s")
    check(answer:find("Bytes transferred = " .. arg.bytes, 1, true), answer)
    print(board:sh "crc32 0x84000000 0x1000")
  end
end)
