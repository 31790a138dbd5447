-- Two guests of --define image=... on a switch; one serves, the other moves what --define work=... says,
-- a list of mode:amount, over cards of --define model=..., if given. Prints "begin MODE" and "end MODE
-- ARRIVED" as each happens.

local lan = vlan "lan" { rate = "10Gbit" }

guest "s" { image = arg.image, initrd = arg.initrd, nic { lan, model = arg.model },
  append = "lan.ip=10.9.0.1/24 lan.run=traffic+serve+0.0.0.0+5001" }
guest "c" { image = arg.image, initrd = arg.initrd, nic { lan, model = arg.model },
  append = "lan.ip=10.9.0.2/24" }

test("traffic between them", function()
  s:expect("traffic: serving", "120s")
  c:prompt "120s"
  for mode, amount in arg.work:gmatch "(%w+):(%d+)" do
    c:send("traffic " .. mode .. " 10.9.0.1 5001 " .. amount .. "\n")
    c:expect("traffic: begin", "60s")
    print("begin " .. mode)
    print("end " .. mode .. " " .. c:expect("traffic: end (%d+)", "1h"))
    c:prompt "60s"
  end
end)
