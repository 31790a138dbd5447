local lan = vlan "lan"
tap "a" { lan, script = "no",
  ifname = "a-name-of-seventeen" }
tap "b" { lan, address = "10.9.0.1" }
tap "c" { lan, fd = 3, ifname = "tap0" }
tap "d" { lan, fd = "up", script = "/bin/true" }
tap "e" { lan, br = "br0", script = "/bin/true" }
tap "f" { lan, helper = "/nonexistent/helper", address = "10.9.0.1/24" }
tap "g" { lan, fd = 3 }
tap "h" { lan, ifname = "tap1", script = "no" }
tap "i" { lan, ifname = "tap1", script = "no" }
tap "j" { lan, script = "nonexistent" }
tap "k" { lan, script = "no", downscript = "/dev/null" }
tap "l" { lan, helper = "/nonexistent/helper" }
tap "m" { lan, script = "no", mtu = 20 }
tap "n" { script = "no" }
guest "h1" { kernel = "user.lua", lan }
