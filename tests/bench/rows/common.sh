# What the rows share: medians, runs in turn, results, QEMU's command lines.

compute() { awk "BEGIN { printf \"$1\", $2 }"; } # compute FORMAT EXPRESSION

# median FILE FIELD: of the numbers in a field.
median() { awk -v f="$2" '{ print $f }' "$1" | sort -g | awk '{ v[NR] = $1 }
    END { if (NR) print v[int((NR + 1) / 2)] }'; }

# in_turn NAME OURS PEER: ROUNDS times one and the other; each prints a line of figures, which go to
# $tmp/NAME.ours and $tmp/NAME.peer. PEER may be empty. If one fails the reason is in $tmp/why.
in_turn() {
    : >"$tmp/$1.ours" >"$tmp/$1.peer"
    for round in $(seq "$rounds"); do
        "$2" >>"$tmp/$1.ours" 2>"$tmp/why" || return 1
        [ -z "$3" ] || "$3" >>"$tmp/$1.peer" 2>"$tmp/why" || return 1
    done
}

have_qemu() { command -v "$qemu" >/dev/null; }
have_image() { [ -f "$cache/$1/Image" ]; } # have_image NAME
option_there() { "$lanarium" help run 2>/dev/null | grep -q -- "^ *$1 "; }

# Does an earlier row's line have it?
done_already() { awk -F '\t' -v n="$1" '$1 == n { found = 1 } END { exit !found }' "$results"; }

# result NAME OURS PEER [REMARK]: a line; the ratio follows from the unit, "met" from the target.
result() {
    awk -v OFS='\t' -v name="$1" -v ours="$2" -v peer="$3" -v remark="${4-}" \
        -v unit="$(row "$1" 4)" -v target="$(row "$1" 3)" '
        BEGIN {
            less = unit ~ /^(ns|us|ms|s|MB|KB)$/
            if (ours != "" && peer != "")
                ratio = less ? peer / ours : ours / peer
            limit = substr(target, 2) + 0
            kind = substr(target, 1, 1)
            met = "-"
            if (kind == "x" && ratio != "") met = ratio >= limit ? "yes" : "no"
            if (kind == "<" && ours != "") met = ours + 0 <= limit ? "yes" : "no"
            print name, unit, ours, peer, ratio == "" ? "" : sprintf(ratio >= 100 ? "%.0f" : "%.3g", ratio), target, met, remark
        }' >>"$results"
    if [ $json = yes ]; then tail -n 1 "$results" | json_line; else tail -n 1 "$results" | text_line; fi
}

text_line() {
    awk -F '\t' 'function or(v) { return v == "" ? "-" : v }
        { printf "%-13s %10s %10s %7s %7s  %s%s\n", $1, or($3), or($4), or($5), $6, $2,
          $8 == "" ? "" : "  (" $8 ")" }'
}

json_line() {
    awk -F '\t' 'function or(v) { return v == "" ? "null" : v }
        { gsub(/["\\]/, "\\\\&", $8)
          printf "{\"name\": \"%s\", \"unit\": \"%s\", \"ours\": %s, \"peer\": %s, \"ratio\": %s, ", \
              $1, $2, or($3), or($4), or($5)
          printf "\"target\": \"%s\", \"met\": %s, \"remark\": \"%s\"}\n", $6, \
              $7 == "yes" ? "true" : $7 == "no" ? "false" : "null", $8 }'
}

# skip NAME REASON: a line for a row that cannot run.
skip() { result "$1" '' '' "skipped: $2"; }

# skip_why NAME: the same, with what the failed run said.
skip_why() {
    why=$(grep -v '^ *$' "$tmp/why" 2>/dev/null)
    why=$(echo "$why" | grep "^lab: line" || echo "$why" | tail -n 1)
    why=$(echo "$why" | head -n 1 | tr -d '\001-\037' | cut -c 1-160)
    skip "$1" "${why:-it failed}"
}

machine_name() {
    awk -F ': ' '/^model name/ { print $2; exit }' /proc/cpuinfo
}

# --- QEMU ---

# One translating thread, memory as ours, the modern interface of virtio-mmio as ours.
qemu_virt() { echo "$qemu -M virt -accel tcg,thread=single -nographic" \
    "-global virtio-mmio.force-legacy=false"; }

image=debian # of the guests
card=        # the model of their cards, if it is not virtio-net on virtio-mmio

# qemu_linux NAME NETDEV MAC APPEND: the command line of a Linux guest with one card.
qemu_linux() {
    echo "$(qemu_virt) -m 128 -kernel $cache/$image/Image -initrd $tmp/$image.gz" \
        "-netdev $2,id=n -device ${card:-virtio-net-device}${card:+,romfile=},netdev=n,mac=$3" \
        "-append '$(cat "$cache/$image/cmdline") hostname=$1 $4'"
}

# The image's initramfs and, after it, one with what the rows need in a guest (Linux unpacks all
# that are there, one after another).
initrd_make() {
    [ ! -f "$tmp/$image.gz" ] || return 0
    {
        echo "file bin/traffic 0755 $bench/guest/traffic"
        echo "file bin/pings 0755 $here/guest/pings"
    } >"$tmp/initrd.list"
    sh "$src/guests/images/newc" "$tmp/initrd.list" | gzip -9n >"$tmp/more.gz"
    cat "$cache/$image/initrd" "$tmp/more.gz" >"$tmp/$image.gz"
}

# What rows with Linux guests and a peer need; says what is missing.
linux_ready() {
    if ! have_image $image; then
        echo "no image: lanarium image $image" >"$tmp/why"
    elif [ ! -f "$bench/guest/traffic" ]; then
        echo "no riscv64 compiler: the guest's programs were not built" >"$tmp/why"
    elif ! have_qemu; then
        echo "no $qemu" >"$tmp/why"
    else
        initrd_make
        return
    fi
    return 1
}

# since FROM TO FIELD: of lab's marks on standard input: "LABEL wall cpu PSS".
since() { awk -v a="$1" -v b="$2" -v f="$3" '$1 == a { x = $f } $1 == b { y = $f }
    END { print y - x }'; }
