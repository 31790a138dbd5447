local lan = vlan "lan"
stream "none" { lan }
stream "two" { lan, listen = ":1", connect = ":2" }
stream "port" { lan, listen = "127.0.0.1:70000" }
stream "host" { lan, connect = "fe80::1:1234" }
stream "zero" { lan, connect = "127.0.0.1:0" }
stream "path" { lan, listen = "unix:" }
stream "again" { lan, listen = ":1", reconnect = "5s" }
stream "often" { lan, connect = ":1", reconnect = "soon" }
stream "many" { lan, connect = ":1", max_peers = 4 }
stream "short" { lan, listen = ":1", secret = "secret" }
guest "h1" { lan, image = "host" }
