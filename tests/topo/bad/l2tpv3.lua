local lan = vlan "lan"
l2tpv3 "a" { lan }
l2tpv3 "b" { lan, src = "127.0.0.1", dst = "127.0.0.1", txsession = 0 }
l2tpv3 "c" { lan, src = "127.0.0.1", dst = "127.0.0.1", txsession = 1, udp = true }
l2tpv3 "d" { lan, src = "127.0.0.1", dst = "127.0.0.1", txsession = 1, srcport = 5, dstport = 6 }
l2tpv3 "e" { lan, src = "127.0.0.1", dst = "127.0.0.1", txsession = 1, txcookie = 5 }
l2tpv3 "f" { lan, src = "127.0.0.1", dst = "127.0.0.1", txsession = 1, txcookie = 5, rxcookie = 0x100000000 }
l2tpv3 "g" { lan, src = "127.0.0.1", dst = "127.0.0.1", txsession = 1, offset = 1025 }
l2tpv3 "h" { lan, src = "127.0.0.1", dst = "127.0.0.1", txsession = 1, pincounter = true }
