-- A Debian guest and one way out, as --define says: tap=IFNAME, or listen=ADDRESS or connect=ADDRESS of
-- a link to another process. Someone types at its console. Virtual time keeps to the host's; with 4
-- instructions a nanosecond and a line without a rate that is no limit to the guest.

local lan = vlan "lan" { rate = "unlimited" }

guest(arg.name) { image = "debian", initrd = arg.initrd, mips = 4000, lan, append = arg.append }
if arg.tap then
  tap "out" { lan, ifname = arg.tap, script = "no", vnet_hdr = true }
else
  stream "out" { lan, listen = arg.listen, connect = arg.connect }
end
