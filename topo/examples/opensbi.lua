-- The same kernel, started by Debian's OpenSBI in M-mode instead of the machine's own SBI.

local lan = vlan "lan"

guest "d1" { image = "debian", bios = "opensbi", lan }
user "gw" { lan }

test("OpenSBI starts Linux", function()
  d1:expect("OpenSBI v[%d.]+", "10s")
  d1:expect("bound to 10%.0%.2%.15/24", "60s")
  d1:prompt "60s"
end)

test("Linux runs on it", function()
  check(d1:sh "uname -m" == "riscv64")
  local answer = d1:sh("ping -c 1 10.0.2.2", "20s")
  check(answer:find "1 packets received", answer)
end)
