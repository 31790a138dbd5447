# Rows of frames with no guest: 64 bytes, one direction, frames per second of CPU time of who
# forwards them. Captured, ours is wall time: the writer is a thread of its own.

vlan_ours() { "$bench/vlan" | awk '{ print $2 }'; }
vlan_captured() { "$bench/vlan" --capture "$tmp/frames.pcapng"; }

ticks_of() { sed 's/.*)//' "/proc/$1/stat" | awk '{ print $12 + $13 }'; } # of 10 ms; proc(5)

# beside PID COMMAND...: runs what prints "rate frames", then ends the process beside it, and prints
# the frames per second of that process's CPU time.
beside() {
    other=$1 status=0
    shift
    timeout 60 "$@" >"$tmp/beside" || status=$?
    ticks=$(ticks_of $other)
    kill $other
    wait $other 2>/dev/null || :
    other=
    awk -v s="$ticks" '{ printf "%.0f\n", $2 / (s / 100) }' "$tmp/beside"
    return $status
}

# QEMU's hub between two TCP socket links.
vlan_hub() {
    port=$((20000 + $$ % 20000))
    "$qemu" -M none -nodefaults -nographic -monitor none -serial none \
        -netdev socket,id=a,listen=127.0.0.1:$port \
        -netdev socket,id=b,listen=127.0.0.1:$((port + 1)) \
        -netdev hubport,hubid=0,id=h0,netdev=a -netdev hubport,hubid=0,id=h1,netdev=b \
        </dev/null >/dev/null 2>&1 &
    beside $! "$bench/hub_peer" $port $((port + 1))
}

# vde_switch between two plugs, Unix datagram sockets.
vlan_vde() {
    rm -rf "$tmp/vde" "$tmp/input"
    mkfifo "$tmp/input" # it leaves at the end of its input
    vde_switch -s "$tmp/vde" <>"$tmp/input" >/dev/null 2>&1 &
    beside $! "$bench/vde_peer" "$tmp/vde"
}

# A CSMA channel of ns-3 with two devices and no stack.
vlan_ns3() { timeout 120 "$bench/ns3_peer"; }

# vlan_measure NAME OURS PEER REMARK
vlan_measure() {
    in_turn "$1" "$2" "$3" || { skip_why "$1"; return; }
    peer=
    [ -z "$3" ] || peer=$(median "$tmp/$1.peer" 1)
    result "$1" "$(median "$tmp/$1.ours" 1)" "$peer" "$4"
}

vlan_beside() { # vlan_beside NAME PROGRAM PEER
    if command -v "$2" >/dev/null; then
        vlan_measure "$1" vlan_ours "$3" "${2##*/}"
    else
        skip "$1" "no ${2##*/} here"
    fi
}

vlan_row() {
    hub=
    ! have_qemu || hub=vlan_hub
    case $1 in
    vlan-capture) vlan_measure "$1" vlan_captured "$hub" 'QEMU hub, not captured' ;;
    vlan-vde) vlan_beside "$1" vde_switch vlan_vde ;;
    vlan-ns3) vlan_beside "$1" "$bench/ns3_peer" vlan_ns3 ;;
    *)
        vlan_measure "$1" vlan_ours "$hub" 'QEMU hub, TCP links'
        ! command -v vde_switch >/dev/null || vlan_row vlan-vde
        [ ! -x "$bench/ns3_peer" ] || vlan_row vlan-ns3
        ;;
    esac
}
