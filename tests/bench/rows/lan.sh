# Rows of many guests: CPU and memory of all processes together, by lab's marks.

threads() { ! option_there --threads || echo "--threads $1"; }

# lan_ours SCRIPT LIMIT OPTION...: runs a topology, of whose output $waits are waited for and marked.
lan_ours() {
    script=$1
    {
        echo "limit $2"
        shift 2
        echo "start us $lanarium run $* $script"
        for word in $waits; do printf 'wait us %s\nmark %s\n' "$word" "$word"; done
    } >"$tmp/steps"
    "$bench/lab" <"$tmp/steps" >"$tmp/marks" 2>"$tmp/why"
}

at() { awk -v a="$1" -v f="$2" '$1 == a { print $f }' "$tmp/marks"; } # at LABEL FIELD

# --- 16 Debian guests: DHCP, all ping all ---

lan16_guests=16

lan16_ours() {
    waits='bound answered'
    lan_ours "$here/topo/all.lua" 300 $lan16_threads --define guests=$lan16_guests \
        --define initrd="$tmp/$image.gz" && echo "$(at answered 3) $(at answered 4) $(at answered 2)"
}

lan16_ours_2() { lan16_threads='--threads 2' lan16_ours; }

# The same with a QEMU for each guest and one for the router, which runs our image: a multicast
# group on the loopback interface joins them.
lan16_peer() {
    link=socket,mcast=239.255.77.1:$((20000 + $$ % 20000)),localaddr=127.0.0.1
    all=$(seq "$lan16_guests")
    {
        echo "limit 300"
        echo "start router $(qemu_virt) -bios none -m 4 -kernel $build/guests/programs/router.elf" \
            "-netdev $link,id=n -device virtio-net-device,netdev=n,mac=52:54:00:00:00:ff" \
            "-append 'eth0=10.9.0.1/16,pool=10.9.1.1-10.9.1.$lan16_guests'"
        echo "sleep 1"
        for i in $all; do
            echo "start d$i $(qemu_linux d$i $link "$(printf 52:54:00:00:01:%02x $i)" '')"
        done
        for i in $all; do printf 'wait d%s bound to 10.9.1.\nwait d%s d%s#\n' $i $i $i; done
        echo "mark bound"
        for i in $all; do echo "send d$i pings 10.9.1 $lan16_guests"; done
        for i in $all; do echo "wait d$i pings: $lan16_guests answered"; done
        echo "mark answered"
    } >"$tmp/steps"
    "$bench/lab" <"$tmp/steps" >"$tmp/marks" &&
        echo "$(at answered 3) $(at answered 4) $(at answered 2)"
}

lan16_row() {
    linux_ready || { skip_why lan16; return; }
    lan16_threads=$(threads 1) n=$lan16_guests
    rounds=1 in_turn lan16 lan16_ours lan16_peer || { skip_why lan16; return; }
    result lan16 "$(compute %.3f "$(median "$tmp/lan16.ours" 1) / $n")" \
        "$(compute %.3f "$(median "$tmp/lan16.peer" 1) / $n")" \
        "wall: $(median "$tmp/lan16.ours" 3), QEMU $(median "$tmp/lan16.peer" 3)"
    result lan16-memory "$(compute %.1f "$(median "$tmp/lan16.ours" 2) * 1.024 / $n / 1000")" \
        "$(compute %.1f "$(median "$tmp/lan16.peer" 2) * 1.024 / $n / 1000")"
    if ! option_there --threads; then
        skip lan16-threads 'there is no --threads'
    elif [ "$(nproc)" -lt 2 ]; then
        skip lan16-threads 'one processor only'
    else
        in_turn lan16-threads lan16_ours_2 lan16_ours || { skip_why lan16-threads; return; }
        result lan16-threads "$(median "$tmp/lan16-threads.ours" 3)" \
            "$(median "$tmp/lan16-threads.peer" 3)" 'peer: 1 thread'
    fi
}

# --- 64, 256, 1,000 Debian guests; nobody else does it ---

# memory_there MB: is so much free?
memory_there() {
    free=$(awk '/^MemAvailable/ { print int($2 / 1000) }' /proc/meminfo)
    [ "$free" -ge "$1" ] || { echo "needs $1 MB of memory, $free are free" >"$tmp/why"; return 1; }
}

lan_row() {
    n=${1#lan}
    linux_ready && memory_there $((n * 13 + 500)) &&
        "$bench/stopwatch" -t 3600 -o "$tmp/why" "$lanarium" run --define guests=$n "$here/lan.lua" \
            >"$tmp/lan" || { skip_why "$1"; return; }
    result "$1" "$(compute %.1f "$(median "$tmp/lan" 3) * 1.024 / $n / 1000")" '' \
        "$(median "$tmp/lan" 2) s wall, $(median "$tmp/lan" 1) s CPU"
}

# --- small hosts ---

hosts_row() {
    case $1 in hosts) n=1000 ;; *) n=${1#hosts} n=${n%k}000 ;; esac
    waits=addresses
    [ -f "$build/guests/programs/host.elf" ] || { skip "$1" 'host.elf was not built'; return; }
    memory_there $((n / 9 + 200)) &&
        lan_ours "$here/topo/hosts.lua" 3600 --define hosts=$n || { skip_why "$1"; return; }
    result "$1" "$(compute %.1f "$(at addresses 4) * 1.024 / $n")" '' \
        "$(at addresses 2) s wall, $(at addresses 3) s CPU"
}

# --- idle guests ---

idle_peer() {
    {
        echo "start d $(qemu_linux d user 52:54:00:00:00:02 lan.ip=10.0.2.15/24,10.0.2.2)"
        printf '%s\n' 'wait d d#' 'sleep 5' 'mark began' 'sleep 30' 'mark ended'
    } >"$tmp/steps"
    "$bench/lab" <"$tmp/steps" | since began ended 3
}

idle_row() {
    n=${IDLE_GUESTS:-1000} waits='started hour'
    linux_ready && memory_there $((n * 13 + 500)) || { skip_why "$1"; return; }
    lan_ours "$here/topo/idle.lua" 3600 --define guests=$n || { skip_why "$1"; return; }
    wall=$(since started hour 2 <"$tmp/marks") cpu=$(since started hour 3 <"$tmp/marks")
    qemu_cpu=$(compute %.0f "$(idle_peer) * 120 * $n")
    result "$1" "$wall" '' "$n guests, CPU $cpu s; as many QEMUs $qemu_cpu s"
}

# --- clones: by the difference of many and one ---

clone_many=500

# CPU milliseconds a clone until all are made; KB of each then; milliseconds until it has a prompt.
clone_ours() {
    waits='cloned awake'
    : >"$tmp/clones"
    for n in 1 $((clone_many + 1)); do
        lan_ours "$here/topo/clone.lua" 300 --define clones=$n || return
        echo "$(at cloned 3) $(at cloned 4) $(at awake 3)" >>"$tmp/clones"
    done
    awk -v n=$clone_many '{ made[NR] = $1; kib[NR] = $2; awake[NR] = $3 }
        END { print (made[2] - made[1]) * 1000 / n, (kib[2] - kib[1]) * 1.024 / n,
                    (awake[2] - awake[1]) * 1000 / n }' "$tmp/clones"
}

# QEMU's nearest: a guest is restored from a file into a new process, until it answers.
clone_peer() {
    qemu_clone=$(qemu_linux d user 52:54:00:00:00:02 lan.ip=10.0.2.15/24,10.0.2.2)
    if [ ! -f "$tmp/state" ]; then
        {
            printf 'start d %s\nwait d d#\nsleep 1\n' "$qemu_clone"
            printf 'send d \001cmigrate "exec:cat >%s/state"\n' "$tmp" # ^A c: to its monitor
            printf 'wait d (qemu)\nwait d (qemu)\n'
        } >"$tmp/steps"
        "$bench/lab" <"$tmp/steps" || return
    fi
    {
        echo "start d $qemu_clone -incoming 'exec:cat $tmp/state'"
        printf 'nudge d d#\nmark here\n'
    } >"$tmp/steps"
    "$bench/lab" <"$tmp/steps" >"$tmp/marks" || return
    echo "$(at here 3) $(at here 4)" | awk '{ print $1 * 1000, $2 * 1.024 }'
}

clone_row() {
    linux_ready || { skip_why clone; return; }
    in_turn clone clone_ours clone_peer || { skip_why clone; return; }
    # No ratio: ours are made and have not run, QEMU's has answered.
    result clone "$(compute %.3f "$(median "$tmp/clone.ours" 1)")" '' \
        "until its own prompt $(compute %.0f "$(median "$tmp/clone.ours" 3)"); QEMU, restored until it\
 answers: $(median "$tmp/clone.peer" 1)"
    result clone-memory "$(compute %.0f "$(median "$tmp/clone.ours" 2)")" '' \
        "QEMU, when it has answered: $(median "$tmp/clone.peer" 2)"
}
