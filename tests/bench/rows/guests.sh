# Rows of one or two Linux guests: the start, and traffic between them or with the host.

# --- the start: CPU time of the whole process ---

boot_ours() {
    "$bench/stopwatch" "$lanarium" -m 128 -nographic -kernel "$cache/debian/Image" \
        -initrd "$cache/debian/initrd" -net none -append "$boot_append"
}

boot_peer() {
    "$bench/stopwatch" $(qemu_virt) -m 128 -kernel "$cache/debian/Image" \
        -initrd "$cache/debian/initrd" -net none -append "$boot_append"
}

boot_row() {
    linux_ready || { skip_why "$1"; return; }
    boot_append="$(cat "$cache/debian/cmdline") lan.run=poweroff+-f"
    in_turn "$1" boot_ours boot_peer || { skip_why "$1"; return; }
    result "$1" "$(median "$tmp/$1.ours" 1)" "$(median "$tmp/$1.peer" 1)" \
        "MB: $(compute %.0f "$(median "$tmp/$1.ours" 3) * 1.024 / 1000"), QEMU\
 $(compute %.0f "$(median "$tmp/$1.peer" 3) * 1.024 / 1000")"
}

# --- traffic: wall time from "begin" to "end", all rows that are asked for in one pair of guests ---
#
# A mode of the program traffic, its amount, and how the figure comes from seconds.

traffic_modes='
tcp      tcp 100000000 1e-6*8*%s/
user-out tcp 60000000  1e-6*8*%s/
user-in  get 60000000  1e-6*8*%s/
rr       rr  5000      1e6/%s*
udp      udp 30000     %s/
tap-out  tcp 200000000 1e-6*8*%s/
tap-in   get 200000000 1e-6*8*%s/
tap-rr   rr  3000      1e6/%s*
link-out tcp 60000000  1e-6*8*%s/
link-in  get 60000000  1e-6*8*%s/
link-rr  rr  3000      1e6/%s*
card-tcp tcp 60000000  1e-6*8*%s/
card-udp udp 30000     %s/
'

# traffic_mode NAME FIELD; rows of a card, "card-tcp:e1000", have those of "card-tcp".
traffic_mode() { echo "$traffic_modes" | awk -v n="${1%:*}" -v f="$2" '$1 == n { print $f }'; }

# traffic_rows NAME...: those of them that are asked for.
traffic_rows() {
    for one in "$@"; do
        case $asked in *" $one "*) echo "$one" ;; esac
    done
}

# traffic_steps NAME ADDRESS PORT: QEMU's client does the work of a row, for lab.
traffic_steps() {
    cat <<END
send c traffic $(traffic_mode "$1" 2) $2 $3 $(traffic_mode "$1" 3)
wait c traffic: begin
mark $1.begin
wait c traffic: end
mark $1.end
wait c c#
END
}

# traffic_ours SCRIPT OPTION...: the same by a topology, which prints what lab waits for.
traffic_ours() {
    work=
    for one in $rows; do work="$work,$(traffic_mode "$one" 2):$(traffic_mode "$one" 3)"; done
    script=$1
    shift
    {
        echo "limit 240"
        [ -z "${server-}" ] || printf 'start host %s\nwait host serving\n' "$server"
        echo "start us $lanarium run --define initrd=$tmp/$image.gz --define work=${work#,} $*" \
            "$here/topo/$script"
        for one in $rows; do
            mode=$(traffic_mode "$one" 2)
            printf 'wait us begin %s\nmark %s.begin\nwait us end %s\nmark %s.end\n' \
                "$mode" "$one" "$mode" "$one"
        done
    } >"$tmp/steps"
    "$bench/lab" <"$tmp/steps" >"$tmp/marks" && traffic_figures
}

# From marks: wall and CPU seconds of each row in turn, on one line.
traffic_figures() {
    for one in $rows; do
        echo "$(since "$one.begin" "$one.end" 2 <"$tmp/marks")" \
            "$(since "$one.begin" "$one.end" 3 <"$tmp/marks")"
    done | tr '\n' ' '
    echo
}

# traffic_results: a line for each row; the ratio of CPU time is a remark.
traffic_results() {
    field=1
    for one in $rows; do
        how=$(traffic_mode "$one" 4 | sed "s/%s/$(traffic_mode "$one" 3)/")
        cpu=$((field + 1))
        by_cpu="$(median "$tmp/traffic.peer" $cpu) / ($(median "$tmp/traffic.ours" $cpu) + 1e-9)"
        result "$one" "$(compute %.0f "$how$(median "$tmp/traffic.ours" $field)")" \
            "$(compute %.0f "$how$(median "$tmp/traffic.peer" $field)")" \
            "by CPU time: $(compute %.2f "$by_cpu")"
        field=$((field + 2))
    done
}

traffic_measure() { # traffic_measure NAME OURS PEER
    linux_ready && in_turn traffic "$2" "$3" || {
        cp "$tmp/why" "$tmp/why.kept"
        for one in $rows; do cp "$tmp/why.kept" "$tmp/why"; skip_why "$one"; done
        return
    }
    traffic_results
}

pair_ours() { server= traffic_ours pair.lua --define image=$image ${card:+--define model=$card}; }

pair_peer() {
    link=socket,%s=127.0.0.1:$((20000 + $$ % 20000))
    {
        echo "start s $(qemu_linux s "$(printf "$link" listen)" 52:54:00:00:00:01 \
            lan.ip=10.9.0.1/24\ lan.run=traffic+serve+0.0.0.0+5001)"
        echo "sleep 0.3"
        echo "start c $(qemu_linux c "$(printf "$link" connect)" 52:54:00:00:00:02 \
            lan.ip=10.9.0.2/24)"
        echo "wait s traffic: serving"
        echo "wait c c#"
        for one in $rows; do traffic_steps "$one" 10.9.0.1 5001; done
    } >"$tmp/steps"
    "$bench/lab" <"$tmp/steps" >"$tmp/marks" && traffic_figures
}

pair_row() {
    rows=$(traffic_rows tcp rr udp)
    traffic_measure "$1" pair_ours pair_peer
}

# The same between two cards of the model that the row's name ends with. Debian's kernel has no driver for
# old ones; that of "small" has.
card_row() {
    card=${1#*:}
    case $card in rtl8139 | ne2k_pci | tulip) image=small ;; esac
    rows=$(traffic_rows "card-tcp:$card" "card-udp:$card")
    traffic_measure "$1" pair_ours pair_peer
    card= image=debian
}

user_ours() { traffic_ours user.lua --define port=$port; }

user_peer() {
    {
        echo "start host $server"
        echo "wait host serving"
        echo "start c $(qemu_linux c user 52:54:00:00:00:02 lan.ip=10.0.2.15/24,10.0.2.2)"
        echo "wait c c#"
        for one in $rows; do traffic_steps "$one" 10.0.2.2 $port; done
    } >"$tmp/steps"
    "$bench/lab" <"$tmp/steps" >"$tmp/marks" && traffic_figures
}

user_row() {
    rows=$(traffic_rows user-out user-in) port=$((20000 + $$ % 20000))
    server="$bench/traffic serve 127.0.0.1 $port"
    traffic_measure "$1" user_ours user_peer
}
