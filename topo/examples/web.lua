-- A web server in a guest, on port 8080 of the host. It runs until ctrl-C:
--
--     lanarium run --record web.rec web.lua
--     curl http://127.0.0.1:8080/                        in another terminal
--
-- What came in from outside has been written down, and lanarium replay web.rec repeats the run.

local lan = vlan "lan"

guest "h1" { lan }
user "gw" { lan, hostfwd = "tcp:127.0.0.1:" .. (arg.port or "8080") .. "-10.0.2.15:80" }
capture "web.pcapng" { lan }
