-- A hundred hosts ask one with an NE2000 (arg.model) for its address at once. Its ring holds 57 short frames
-- and overflows; those who are in it get their answer all the same.

local lan = vlan "lan"
local t = guest "t" { nic { lan, model = arg.model }, append = "ip=10.7.0.1/24" }
for i = 1, 100 do guest("h" .. i) { lan, append = "ip=10.7.0." .. i + 1 .. "/24" } end

test("whoever is in the ring is answered", function()
  local answered = 0
  wait "1s"
  for i = 1, 100 do object("h" .. i):send "ping -c 1 10.7.0.1\n" end
  for i = 1, 100 do
    if object("h" .. i):expect("(%d) received", "20s") == "1" then answered = answered + 1 end
  end
  local lost = t.eth0:stats().dropped
  print(answered .. " answered, " .. lost .. " frames dropped")
  check(lost > 0, "the ring did not overflow")
  check(answered >= 50 and answered + lost >= 100)
end)
