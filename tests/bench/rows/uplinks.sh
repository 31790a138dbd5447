# Rows of ways out: TAP, and a link between two processes. The steps are the same for both sides; only
# the command lines differ.

# uplink_ours NAME APPEND DEFINE: our command line.
uplink_ours() {
    echo "$lanarium run --console $1 --define name=$1 --define initrd=$tmp/$image.gz" \
        "--define 'append=$2' --define $3 $here/topo/uplink.lua"
}

# traffic_run ADDRESS PORT: what is in $tmp/steps, and the rows' work by the guest c.
traffic_run() {
    echo "wait c c#" >>"$tmp/steps"
    for one in $rows; do traffic_steps "$one" "$1" "$2"; done >>"$tmp/steps"
    "$bench/lab" <"$tmp/steps" >"$tmp/marks" && traffic_figures
}

# --- a link: a process for each guest ---

link_pair() { # link_pair SERVER CLIENT: their command lines
    cat >"$tmp/steps" <<END
start s $1
wait s traffic: serving
start c $2
END
    traffic_run 10.9.0.1 5001
}

link_ours() {
    link_pair "$(uplink_ours s "lan.ip=10.9.0.1/24 lan.run=traffic+serve+0.0.0.0+5001" \
        listen=127.0.0.1:$port)" \
        "$(uplink_ours c lan.ip=10.9.0.2/24 connect=127.0.0.1:$port)"
}

link_peer() {
    link_pair "$(qemu_linux s socket,listen=127.0.0.1:$port 52:54:00:00:00:01 \
        "lan.ip=10.9.0.1/24 lan.run=traffic+serve+0.0.0.0+5001")" \
        "$(qemu_linux c socket,connect=127.0.0.1:$port 52:54:00:00:00:02 lan.ip=10.9.0.2/24)"
}

link_row() {
    rows=$(traffic_rows link-out link-in link-rr) port=$((20000 + $$ % 20000))
    traffic_measure "$1" link_ours link_peer
}

# --- TAP: an interface of a namespace of our own, and the host's end of the traffic in it ---

netns=lanarium-bench-$$

tap_guest() { # tap_guest COMMAND
    cat >"$tmp/steps" <<END
start host ip netns exec $netns $bench/traffic serve 10.9.0.1 5001
wait host serving
start c ip netns exec $netns $1
END
    traffic_run 10.9.0.1 5001
}

tap_ours() { tap_guest "$(uplink_ours c lan.ip=10.9.0.2/24 tap=lan0)"; }

tap_peer() {
    tap_guest "$(qemu_linux c tap,ifname=lan0,script=no,downscript=no,vnet_hdr=on \
        52:54:00:00:00:02 lan.ip=10.9.0.2/24)"
}

netns_start() {
    [ "$(id -u)" = 0 ] || { echo "it needs root" >"$tmp/why"; return 1; }
    ip netns add "$netns" 2>"$tmp/why" || return 1
    ip -n "$netns" tuntap add lan0 mode tap && ip -n "$netns" addr add 10.9.0.1/24 dev lan0 &&
        ip -n "$netns" link set lan0 up
} 2>>"$tmp/why"

tap_row() {
    rows=$(traffic_rows tap-out tap-in tap-rr)
    if netns_start; then
        traffic_measure "$1" tap_ours tap_peer
    else
        for one in $rows; do skip "$one" "$(tail -n 1 "$tmp/why")"; done
    fi
    ip netns del "$netns" 2>/dev/null || :
}
