# Guests under QEMU and Lanarium with consoles one can type at, namespaces, ports; read by the scripts here.
#
# TAP and the rest come from tests/scenario/lib.sh. All that is started, made or listened on is ended
# and removed when the script ends, however it ends. Waiting is bounded in the host's seconds. What waits
# has a subshell as its body, so that it may be nested; the others use the variables name, folder, guest,
# program, line, netns, status and pid.
. "$(dirname "$0")/../scenario/lib.sh"

image=debian # what guests run: a script may set another image of the same kind, debian-net
qemu=${QEMU:-qemu-system-riscv64}
prompt_seconds=${PROMPT_SECONDS:-60} # from start to the first prompt; it takes two on an idle host
[ $sanitized = no ] || prompt_seconds=$((prompt_seconds * 10))

mkdir "$work/guests" "$work/netns"
: >"$work/pids"
trap uplinks_end EXIT

uplinks_end() {
    for pid in $children $(cat "$work/pids"); do
        kill "$pid" 2>/dev/null
    done
    for pid in $(cat "$work/pids"); do
        process_end "$pid"
    done
    for path in "$work/netns"/*; do
        [ ! -f "$path" ] || ip netns del "$(cat "$path")"
    done
    rm -rf "$work"
}

# --- what a script needs; without it the whole script is skipped ---

# need PROGRAM...
need() {
    for program in "$@"; do
        have "$program" || skip_all "$program is not installed"
    done
}

need_root() {
    [ "$(id -u)" = 0 ] || skip_all "this needs root, for ${*:-network namespaces}"
}

# need_image NAME: guests run it from here on.
need_image() {
    [ -f "$cache/$1/Image" ] && [ -f "$cache/$1/initrd" ] ||
        skip_all "the image is not there: lanarium image $1"
    image=$1
}

need_qemu() {
    need "$qemu"
    [ -x "$LANARIUM" ] || skip_all "there is no $LANARIUM"
}

# --- processes ---

# alive PID: it runs; one that ended and was not waited for does not.
alive() {
    kill -0 "$1" 2>/dev/null && ! grep -qs '^State:[[:space:]]*Z' "/proc/$1/status"
}

ended() {
    ! alive "$1"
}

# process_keep PID: it is ended when the script is, also if it was started in a subshell.
process_keep() {
    echo "$1" >>"$work/pids"
}

# process_end PID: asks it to end, and makes it after five seconds; status is what it left.
process_end() {
    kill "$1" 2>/dev/null
    wait_for 5 ended "$1" || kill -KILL "$1" 2>/dev/null
    wait "$1" 2>/dev/null
    status=$?
    sed "/^$1\$/d" "$work/pids" >"$work/pids.new" && mv "$work/pids.new" "$work/pids"
}

# wait_for SECONDS COMMAND...: until the command succeeds; fails if it does not in that time.
wait_for() (
    last=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -le $last ] || exit 1
        sleep 0.05
    done
)

# --- consoles ---
#
# A guest NAME has a folder: in (a FIFO that its process itself holds open, so that it never ends), out
# (all that its console printed), pid, turn (how many commands were typed). Each command goes between
# two marks with the number of its turn:
#
#     NAME# echo "<$((3))>"; eval 'COMMAND'; echo "<$?/$((3))>"        (what is typed and echoed)
#     <3>
#     what it prints
#     <0/3>
#     NAME#

# console_start NAME PROGRAM...: a guest whose console is the program's input and output; its errors
# are in $work/guests/NAME/errors.
console_start() {
    name=$1 folder=$work/guests/$1
    shift
    rm -rf "$folder"
    mkdir "$folder"
    mkfifo "$folder/in"
    echo 0 >"$folder/turn"
    : >"$folder/out"
    $enter "$@" <>"$folder/in" >"$folder/out" 2>"$folder/errors" &
    echo $! >"$folder/pid"
    process_keep $!
}

# console_type NAME TEXT: types it, and return.
console_type() {
    printf '%s\n' "$2" 1<>"$work/guests/$1/in"
}

# The guest's shell has printed its first prompt, or its process has ended.
prompt_there() {
    grep -qa "^$1# " "$work/guests/$1/out" || ended "$(cat "$work/guests/$1/pid")"
}

# turn_there NAME: the command's second mark is there, and a prompt behind it; or the process has ended.
turn_there() {
    tr -d '\r' <"$work/guests/$1/out" | grep -a -A 1 "<[0-9]*/$(cat "$work/guests/$1/turn")>\$" |
        tail -n 1 | grep -qa "^$1# " || ended "$(cat "$work/guests/$1/pid")"
}

# turn_print NAME: what the command printed; its exit status, or 124 if it has not ended.
turn_print() {
    tr -d '\r' <"$work/guests/$1/out" | awk -v n="$(cat "$work/guests/$1/turn")" '
        !on { on = $0 == "<" n ">"; next }
        match($0, "<[0-9]+/" n ">$") {
            if (RSTART > 1)
                print substr($0, 1, RSTART - 1)
            status = substr($0, RSTART + 1) + 0
            done = 1
            exit
        }
        { print }
        END { exit done ? status : 124 }'
}

# console_why NAME: the last that its console and its program said.
console_why() {
    {
        echo "$1: no answer in time; its console's last lines:"
        tr -d '\r' <"$work/guests/$1/out" | tail -n 12
        tail -n 5 "$work/guests/$1/errors"
    } >&2
}

# console_ready NAME [SECONDS]: waits for its shell.
console_ready() {
    wait_for "${2:-$prompt_seconds}" prompt_there "$1" && grep -qa "^$1# " "$work/guests/$1/out" || {
        console_why "$1"
        return 1
    }
}

# console_sh NAME COMMAND SECONDS: runs a command in its shell and prints what that prints. The exit
# status is the command's; 124 if it has not ended in time, and then ctrl-C is typed.
console_sh() (
    console_ready "$1" || exit 124
    turn=$(($(cat "$work/guests/$1/turn") + 1))
    echo $turn >"$work/guests/$1/turn"
    quoted=$(printf '%s\n' "$2" | sed "s/'/'\\\\''/g")
    console_type "$1" "echo \"<\$(($turn))>\"; eval '$quoted'; echo \"<\$?/\$(($turn))>\""
    wait_for "$3" turn_there "$1"
    turn_print "$1"
    result=$?
    [ $result != 124 ] || {
        printf '\003' 1<>"$work/guests/$1/in"
        console_why "$1"
    }
    exit $result
)

# console_stop NAME: fails if its program was not ended by our asking, or was but by a crash.
console_stop() {
    process_end "$(cat "$work/guests/$1/pid")"
    [ $status = 0 ] || [ $status = 143 ] || {
        echo "$1 ended with status $status"
        tail -n 20 "$work/guests/$1/errors"
        return 1
    }
}

# --- guests of the image: NAME [lan.OPTION=VALUE...] [ARGUMENT...] ---

# guest_start NAME "PROGRAM WORDS" [WORD=VALUE...] [ARGUMENT...]: what has no leading "-" goes to the
# kernel's command line.
guest_start() {
    name=$1 program=$2 line="$(cat "$cache/$image/cmdline") hostname=$1"
    shift 2
    while [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; do
        line="$line $1"
        shift
    done
    # shellcheck disable=SC2086
    console_start "$name" $program -kernel "$cache/$image/Image" -initrd "$cache/$image/initrd" \
        -append "$line" "$@"
}

# qemu_start NAME [WORD=VALUE...] [-netdev ... -device virtio-net-device,...]: under QEMU
qemu_start() {
    guest=$1
    shift
    guest_start "$guest" "$qemu -M virt -m 128 -nographic -monitor none -serial stdio" "$@"
}

# ours_start NAME [WORD=VALUE...] [-net nic -net ...]: under Lanarium
ours_start() {
    guest=$1
    shift
    guest_start "$guest" "$LANARIUM -m 128 -nographic" "$@"
}

qemu_sh() { console_sh "$@"; }
ours_sh() { console_sh "$@"; }
qemu_stop() { console_stop "$@"; }
ours_stop() { console_stop "$@"; }

# --- the host's network ---

enter= # what leads into the namespace where the next guest is started

# netns_make NAME: a namespace of this script's own, with lo up; fails without the privilege.
netns_make() {
    netns="lanarium-$1-$$"
    ip netns add "$netns" || return 1
    echo "$netns" >"$work/netns/$1"
    ip -n "$netns" link set lo up
}

# in_netns NAME COMMAND...: in that namespace; a guest too: in_netns NAME qemu_start ...
in_netns() {
    netns=$(cat "$work/netns/$1")
    shift
    case $1 in
    qemu_start | ours_start | console_start)
        enter="ip netns exec $netns"
        "$@"
        enter=
        ;;
    *) ip netns exec "$netns" "$@" ;;
    esac
}

# free_port: a port that nothing on this host uses with TCP or UDP, and that this script was not given
# before. Below those that the kernel gives out.
free_port() (
    port=$(cat "$work/port" 2>/dev/null || echo $((20000 + $$ * 7 % 12000)))
    while :; do
        port=$((20000 + (port - 20000 + 1) % 12000))
        grep -qis "^ *[0-9]*: [0-9A-F]*:$(printf %04X $port) " /proc/net/tcp /proc/net/tcp6 \
            /proc/net/udp /proc/net/udp6 || break
    done
    echo $port | tee "$work/port"
)
