-- A Debian guest and the user-mode stack: moves what --define work=mode:amount,... says to and from
-- the program that serves on the host's port --define port=N. While host sockets are open virtual
-- time keeps to the host's; with 4 instructions a nanosecond that is no limit to the guest.

local lan = vlan "lan" { rate = "10Gbit" }

guest "c" { image = "debian", initrd = arg.initrd, mips = 4000, lan,
  append = "lan.ip=10.0.2.15/24,10.0.2.2" }
user "gw" { lan }

test("traffic with the host", function()
  c:prompt "120s"
  for mode, amount in arg.work:gmatch "(%w+):(%d+)" do
    c:send("traffic " .. mode .. " 10.0.2.2 " .. arg.port .. " " .. amount .. "\n")
    c:expect("traffic: begin", "60s")
    print("begin " .. mode)
    print("end " .. mode .. " " .. c:expect("traffic: end (%d+)", "1h"))
    c:prompt "60s"
  end
end)
