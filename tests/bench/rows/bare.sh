# Rows of bare-metal programs, one guest and no network: CPU time of the whole process.

# bare_ours, bare_peer: CPU seconds of $elf, with what it printed in $tmp/out.*.
bare_ours() {
    "$bench/stopwatch" -o "$tmp/out.ours" "$lanarium" $engine -nographic -kernel "$elf" -m 64 \
        -net none --stats
}

bare_peer() {
    "$bench/stopwatch" -o "$tmp/out.peer" $(qemu_virt) $icount -bios none -m 64 -net none \
        -kernel "$elf"
}

# A program prints a result, by which both can be seen to have done the same work.
bare_printed() { grep -o '^[0-9a-f]\{16\}' "$1" | head -n 1; }

# bare_measure NAME PROGRAM
bare_measure() {
    elf=$bench/guest/$2.elf
    [ -f "$elf" ] || { skip "$1" 'no riscv64 compiler: the program was not built'; return; }
    have_qemu || { skip "$1" "no $qemu"; return; }
    in_turn "$1" bare_ours bare_peer || { skip_why "$1"; return; }
    if [ "$(bare_printed "$tmp/out.ours")" != "$(bare_printed "$tmp/out.peer")" ]; then
        skip "$1" "the results differ: ours $(bare_printed "$tmp/out.ours"), QEMU's\
 $(bare_printed "$tmp/out.peer")"
        return
    fi
    if [ "$(row "$1" 4)" = ns ]; then
        per="/ $(cat "$bench/guest/$2.units") * 1e9" format=%.1f
    else
        count=$(awk '$1 == "vm" && $2 ~ /^[0-9]+$/ { print $2 }' "$tmp/out.ours")
        per="^ -1 * ${count:-0} / 1e6" format=%.0f
    fi
    result "$1" "$(compute $format "$(median "$tmp/$1.ours" 1) $per")" \
        "$(compute $format "$(median "$tmp/$1.peer" 1) $per")" "${remark-}"
}

bare_row() { engine= icount= remark= bare_measure "$1" "$1"; }
exact_row() { engine= icount='-icount shift=0' remark= bare_measure "$1" mix; }

interp_row() {
    option_there --engine || { skip "$1" 'there is no --engine'; return; }
    engine='--engine interpreter' icount= remark=
    bare_measure "$1" mix
}
