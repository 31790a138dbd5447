guest "h1" {
  memory = "1M
}
