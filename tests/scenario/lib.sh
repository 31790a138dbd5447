# TAP, running networks in folders of their own, and what tshark says of captures; read by the scripts of
# this folder.
#
# From tests/run: LANARIUM (the program), SRCDIR, BUILDDIR. By hand they are guessed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
SRCDIR=${SRCDIR:-$(cd "$here/../.." && pwd)}
if [ -z "${BUILDDIR-}" ]; then
    BUILDDIR=$SRCDIR/build
    [ ! -x ./lanarium ] || BUILDDIR=$PWD
fi
LANARIUM=${LANARIUM:-$BUILDDIR/lanarium}
case $LANARIUM in /*) ;; *) LANARIUM=$PWD/$LANARIUM ;; esac # the runs have folders of their own
nets=$SRCDIR/tests/scenario/net
examples=$SRCDIR/topo/examples
cache=${LANARIUM_CACHE:-${XDG_CACHE_HOME:-${HOME-}/.cache}/lanarium}
export LC_ALL=C

# A program built with sanitizers is many times slower, and some networks are made smaller for it.
sanitized=no
! grep -qaE '__(asan|tsan)_init' "$LANARIUM" 2>/dev/null || sanitized=yes

work=$(mktemp -d) || exit 2
children=
trap 'for pid in $children; do kill "$pid" 2>/dev/null; done; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

n=0 failed=0

# skip_all REASON: the whole script is skipped.
skip_all() {
    echo "$*"
    exit 77
}

# check NAME COMMAND...: a test; what the command prints is shown if it fails.
check() {
    test_name=$1
    shift
    n=$((n + 1))
    if "$@" >"$work/why" 2>&1; then
        echo "ok $n - $test_name"
    else
        echo "not ok $n - $test_name"
        tail -n 25 "$work/why" | cut -c 1-300 | sed 's/^/#   /'
        failed=1
    fi
}

# skip NAME REASON
skip() {
    n=$((n + 1))
    echo "ok $n - $1 # SKIP $2"
}

# image_there NAME: in the cache, or firmware of a Debian package.
image_there() {
    case $1 in
    opensbi) [ -f "$cache/opensbi/fw_dynamic.bin" ] ||
        [ -f /usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin ] ;;
    u-boot) [ -f "$cache/u-boot/qemu-riscv64/u-boot.bin" ] ||
        [ -f /usr/lib/u-boot/qemu-riscv64/u-boot.bin ] ;;
    *) [ -f "$cache/$1/Image" ] && [ -f "$cache/$1/initrd" ] ;;
    esac
}

# when IMAGES NAME COMMAND...: a test, or a skip that says what is missing.
when() {
    for image in $1; do
        image_there "$image" || {
            skip "$2" "the image is not there: lanarium image $image"
            return
        }
        [ $sanitized = no ] || case $image in
        debian* | small)
            skip "$2" "networks of Linux take minutes with sanitizers"
            return
            ;;
        esac
    done
    shift
    check "$@"
}

plan_done() {
    echo "1..$n"
    exit $failed
}

have() {
    command -v "$1" >/dev/null 2>&1
}

need_guests() {
    [ -x "$LANARIUM" ] || skip_all "there is no $LANARIUM"
    [ -n "${LANARIUM_DATA-}" ] || [ -f "$(dirname "$LANARIUM")/guests/programs/host.elf" ] ||
        skip_all "the guest programs are not built (no RISC-V compiler or no lwIP)"
}

# play DIR SCRIPT [OPTION...]: a run in a new folder $work/DIR; its captures are there, the consoles
# in logs/, the report without the host's times and memory in report.
play() {
    dir=$work/$1 script=$2
    shift 2
    rm -rf "$dir"
    mkdir -p "$dir"
    (cd "$dir" && "$LANARIUM" run --log logs --stats "$@" "$script" >"$dir.all" 2>&1)
    status=$?
    sed -e '/^time /d' -e '/^guests /d' -e '/^memory /d' -e '/^engine: /d' -e '/^threads: /d' -e '/^host: /d' \
        -e '/^translator: /d' -e '/^code: /d' \
        -e 's/ *[0-9]* *[0-9]*  \(running\|off\|failed\)/ \1/' "$dir.all" >"$dir/report"
    [ $status -eq 0 ] || {
        echo "exit status $status of: lanarium run $* $script"
        cat "$dir.all"
    }
    return $status
}

# same A B: the two folders hold the same bytes; if not, which, and the first packet that differs.
same() {
    [ -n "$(ls -A "$work/$1" 2>/dev/null)" ] || { echo "$1 left no files"; return 1; }
    diff -r "$work/$1" "$work/$2" >"$work/differs" 2>&1 && return 0
    head -n 8 "$work/differs"
    for file in "$work/$1"/*.pcap*; do
        other=$work/$2/${file##*/}
        cmp -s "$file" "$other" || ! have tshark || {
            tshark -r "$file" >"$work/a.txt" 2>/dev/null
            tshark -r "$other" >"$work/b.txt" 2>/dev/null
            diff "$work/a.txt" "$work/b.txt" | head -n 6
        }
    done
    return 1
}

# differs A B FILE
differs() {
    [ -s "$work/$1/$3" ] && [ -s "$work/$2/$3" ] || { echo "$3 is missing"; return 1; }
    ! cmp -s "$work/$1/$3" "$work/$2/$3" || {
        echo "$3 is the same in both"
        return 1
    }
}

# is GOT EXPECTED
is() {
    [ "$1" = "$2" ] || {
        echo "got:      $1"
        echo "expected: $2"
        return 1
    }
}

# --- captures, as tshark reads them; FILE is in $work ---

# rows FILE FILTER FIELD...: one line a packet, what tshark says about it, every checksum verified.
# What it complains of is among them.
rows() {
    file=$work/$1 filter=$2
    shift 2
    fields=
    for field in "$@"; do fields="$fields -e $field"; done
    tshark -n -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE \
        -r "$file" -Y "$filter" -T fields $fields 2>"$work/tshark.err"
    status=$?
    grep -v '^Running as' "$work/tshark.err"
    return $status
}

# none FILE FILTER: no packet matches.
none() {
    is "$(rows "$1" "$2" frame.number frame.protocols _ws.expert.message | head -n 5)" ""
}

# What no packet should be, and what no checksum should.
wrong='_ws.malformed || _ws.short || _ws.expert.severity == error'
bad_sum='ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0 || igmp.checksum.status == 0'
