vlan "lan" {
  delay = "100ns",
  rate = 12,
  queue = {},
  kind = "swich",
}
guest "h1" {
  kernel = "value_ranges.lua",
  harts = 9,
  memory = "1000",
  legacy = 1,
  mips = "fast",
}
