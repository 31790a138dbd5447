-- U-Boot in M-mode: it gets an address by DHCP and loads a file by TFTP, both from the stack.

local lan = vlan "lan"

guest "board" { bios = "u-boot", lan }
user "gw" { lan, tftp = ".", bootfile = "u-boot.lua" }
capture "u-boot.pcapng" { lan }

test("U-Boot reaches its prompt", function()
  board:expect("Hit any key to stop autoboot", "10s")
  board:send " "
  board:prompt "10s"
end)

test("it gets an address and this file", function()
  local answer = board:sh("setenv autoload no; dhcp", "30s")
  check(answer:find "DHCP client bound to address 10%.0%.2%.15", answer)
  answer = board:sh("tftpboot 0x84000000 10.0.2.2:u-boot.lua", "30s")
  check(answer:find "Bytes transferred = %d+", answer)
end)
