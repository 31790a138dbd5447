-- U-Boot with a card of arg.model: an address by DHCP, a ping, and a file of arg.bytes bytes by TFTP from
-- the folder arg.tftp.

local lan = vlan "lan"

guest "m" { bios = "u-boot", nic { lan, model = arg.model } }
user "gw" { lan, tftp = arg.tftp }

test("prompt, DHCP, ping, TFTP", function()
  m:expect("Hit any key to stop autoboot", "10s")
  m:send " "
  m:prompt "10s"
  m:sh "setenv autoload no"
  local said = m:sh("dhcp", "30s")
  check(said:find "DHCP client bound to address 10%.0%.2%.15", said)
  check(m:sh("ping 10.0.2.2", "30s"):find "host 10.0.2.2 is alive")
  said = m:sh("tftpboot 0x84000000 10.0.2.2:file", "30s")
  check(said:find("Bytes transferred = " .. arg.bytes, 1, true), said)
end)
