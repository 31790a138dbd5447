/*
 * TAP: frames are read from and written to an interface of the host's kernel.
 *
 *     virtio-net header (tap_header.h), if the interface has it | frame, no FCS
 *
 * With the header, requests to compute a checksum and to segment pass both ways as they are;
 * without it, or if the kernel finds fault with one, the frames are finished here. What the kernel
 * does not take (sndbuf) waits, and the port holds what comes after it.
 */
#include "devices/uplinks/tap.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include "devices/device.h"
#include "devices/uplinks/tap_header.h"
#include "devices/uplinks/tap_open.h"
#include "devices/uplinks/tap_script.h"
#include "devices/uplinks/uplink.h"
#include "devices/uplinks/watch.h"
#include "sim/offload.h"
#include "sim/sim.h"

#define READS_PER_WAKE 64
#define SMALL 2048 /* bytes: longer frames are handed on in the buffer they were read into */

struct tap_uplink {
    struct uplink uplink;
    struct tap_options options; /* its strings are ours */
    struct tap_device device;
    struct watch *watch;       /* NULL: the interface has vanished */
    struct tap_script *script; /* runs, or has run; NULL: there is none */
    bool ready;                /* the interface is set up */
    struct tap_result result;  /* of the script, once `ended` */
    bool ended;                /* seen by `woken` next */
    bool writable;             /* the kernel takes frames again: likewise */
    int lost;                  /* errno with which the interface vanished; likewise */
    struct frame *spare;       /* what the next frame is read into */
    struct arrivals unsent;    /* finished packets that the kernel did not take yet */
    uint64_t host_down;        /* frames lost because the host has the interface down */
};

static struct tap_uplink *tap_of(const struct uplink *u)
{
    return container_of(u, struct tap_uplink, uplink);
}

static struct uplink_port *port_of(struct tap_uplink *t)
{
    return t->uplink.ports;
}

static void trace(const struct tap_uplink *t, const char *what, uint64_t value)
{
    device_warnings++;
    if (device_trace)
        fprintf(stderr, "%s tap: %s (%llu)\n", t->uplink.actor.name, what,
                (unsigned long long)value);
}

/* It has vanished: told at the next barrier. */
static void lose(struct tap_uplink *t, int error)
{
    if (t->watch)
        watch_set(t->watch, 0);
    t->lost = error;
    uplink_poke(&t->uplink);
}

/* --- to the host --- */

/* One write; 0, or errno. */
static int write_frame(const struct tap_uplink *t, struct frame *f,
                       const struct frame_offload *offload)
{
    struct virtio_net_hdr h = tap_header_of(offload);
    struct iovec iov[2] = {{&h, TAP_HEADER}, {f->data, f->len}};
    unsigned skip = !t->device.header;
    ssize_t n;

    do
        n = writev(t->device.fd, iov + skip, 2 - (int)skip);
    while (n < 0 && errno == EINTR);
    return n < 0 ? errno : 0;
}

/* What a write's error means; true: the frame is to be written later. */
static bool not_written(struct tap_uplink *t, int error)
{
    if (error == EAGAIN) {
        watch_want(t->watch, UV_WRITABLE, true);
        return true;
    }
    if (error == EBADFD || error == ENODEV || error == EBADF) {
        lose(t, error);
    } else if (error == EIO) {
        t->host_down++;
        trace(t, "the host has the interface down; frames lost", t->host_down);
    } else if (error) {
        trace(t, "the kernel refused a frame with errno", (uint64_t)error);
    }
    return false;
}

/* A finished packet (borrowed): written, or kept for later, or lost. */
static void write_finished(void *opaque, struct frame *f)
{
    struct tap_uplink *t = opaque;
    static const struct frame_offload none;

    if (t->lost)
        return;
    if (t->unsent.n || not_written(t, write_frame(t, f, &none)))
        arrivals_push(&t->unsent, frame_ref(f), 0);
}

static enum port_verdict tap_send(struct uplink_port *p, struct frame *f)
{
    struct tap_uplink *t = tap_of(p->uplink);

    if (t->unsent.n)
        return PORT_HOLD;
    if (t->lost)
        return PORT_DROPPED;
    if (t->device.offload || frame_is_finished(f)) {
        int error = write_frame(t, f, &f->offload);
        if (error != EINVAL || frame_is_finished(f))
            return not_written(t, error) ? PORT_HOLD : error ? PORT_DROPPED : PORT_TAKEN;
    }
    return offload_finish(f, write_finished, t) > 0 ? PORT_TAKEN : PORT_DROPPED;
}

/* The kernel takes frames again; at a barrier. */
static void send_unsent(struct tap_uplink *t)
{
    static const struct frame_offload none;
    const struct arrival *a;

    while ((a = arrivals_first(&t->unsent)) &&
           (t->lost || !not_written(t, write_frame(t, a->frame, &none))))
        frame_unref(arrivals_pop(&t->unsent));
    if (!t->unsent.n)
        uplink_ready(port_of(t));
}

/* --- from the host --- */

/* A frame has been read into the spare one. False: no more should be. */
static bool take(struct tap_uplink *t, const struct virtio_net_hdr *h, uint32_t len)
{
    struct frame_offload offload = {0};
    struct frame *f;

    if (t->device.header && !tap_offload_of(h, len, &offload)) {
        t->uplink.refused++;
        trace(t, "a virtio-net header that fits no frame; type", h->gso_type);
        return true;
    }
    if (len <= SMALL) {
        f = frame_from(t->spare->data, len);
    } else {
        f = t->spare;
        f->len = len;
        t->spare = frame_new(FRAME_MAX_LEN);
    }
    f->offload = offload;
    return uplink_receive(port_of(t), f);
}

static void read_frames(struct tap_uplink *t)
{
    struct virtio_net_hdr h = {0};
    unsigned skip = !t->device.header;
    uint32_t before = skip ? 0 : TAP_HEADER;

    for (unsigned i = 0; i < READS_PER_WAKE; i++) {
        struct iovec iov[2] = {{&h, TAP_HEADER}, {t->spare->data, FRAME_MAX_LEN}};
        ssize_t n = readv(t->device.fd, iov + skip, 2 - (int)skip);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            lose(t, errno);
        if (n < 0)
            return;
        if (!take(t, &h, (uint32_t)MAX(n, (ssize_t)before) - before)) {
            watch_want(t->watch, UV_READABLE, false);
            return;
        }
    }
}

static void tap_room(struct uplink_port *p)
{
    struct tap_uplink *t = tap_of(p->uplink);

    if (t->watch && !t->lost)
        watch_want(t->watch, UV_READABLE, true);
}

static void on_ready(void *opaque, int events)
{
    struct tap_uplink *t = opaque;

    if (events & UV_WRITABLE) {
        watch_want(t->watch, UV_WRITABLE, false);
        t->writable = true;
        uplink_poke(&t->uplink);
    }
    if (events & UV_READABLE)
        read_frames(t);
}

/* --- carrier --- */

static void set_ready(struct tap_uplink *t)
{
    t->ready = true;
    watch_want(t->watch, UV_READABLE, true);
}

static void on_script(void *opaque, struct tap_result r)
{
    struct tap_uplink *t = opaque;

    t->result = r;
    t->ended = true;
    uplink_poke(&t->uplink);
}

/* While the run goes on. */
static void say(struct err *err)
{
    err_print(err, stderr);
    err_finish(err);
}

static void script_ended(struct tap_uplink *t)
{
    char *what = xasprintf("tap %s stays without carrier: script", t->uplink.actor.name);
    struct err err = {0};

    t->ended = false;
    if (tap_result_good(t->result, what, t->options.script, &t->options, &err)) {
        set_ready(t);
        uplink_carrier(port_of(t), true);
    } else {
        device_warnings++;
        say(&err);
    }
    free(what);
}

static void vanished(struct tap_uplink *t)
{
    struct err err = {0};

    err_at(&err, t->options.file, t->options.line,
           "tap %s has lost its carrier: interface %s has vanished", t->uplink.actor.name,
           t->device.ifname);
    say(&err);
    device_warnings++;
    t->ready = false;
    watch_close(t->watch); /* and the descriptor; the run stays live */
    t->watch = NULL;
    t->device.fd = -1;
    send_unsent(t);
    uplink_carrier(port_of(t), false);
}

static void tap_woken(struct uplink *u)
{
    struct tap_uplink *t = tap_of(u);

    if (t->lost && t->watch) {
        vanished(t);
        return;
    }
    if (t->ended && t->watch)
        script_ended(t);
    if (t->writable) {
        t->writable = false;
        send_unsent(t);
    }
}

/* --- life --- */

static void tap_describe(const struct uplink *u, FILE *to)
{
    const struct tap_uplink *t = tap_of(u);

    fprintf(to, "ifname=%s,vnet_hdr=%s", t->device.ifname, t->device.offload ? "on" : "off");
    if (t->options.script)
        fprintf(to, ",script=%s", t->options.script);
    if (t->lost)
        fputs(" (vanished)", to);
    else if (!t->ready)
        fputs(t->result.end == TAP_ENDED && !t->result.status ? " (script runs)"
                                                              : " (script failed)",
              to);
    if (t->host_down)
        fprintf(to, " (%llu frames lost while the host had it down)",
                (unsigned long long)t->host_down);
}

static void run_downscript(struct tap_uplink *t)
{
    const struct tap_options *o = &t->options;
    char *argv[] = {(char *)o->downscript, t->device.ifname, NULL};
    char *what = xasprintf("tap %s: downscript", t->uplink.actor.name);
    struct err err = {0};
    pid_t pid = tap_spawn(argv, -1);
    struct tap_result r = {TAP_NOT_STARTED, errno};
    if (pid > 0)
        r = tap_wait(pid, o->timeout_ns);
    if (!tap_result_good(r, what, o->downscript, o, &err))
        say(&err);
    free(what);
}

static void tap_close(struct uplink *u)
{
    struct tap_uplink *t = tap_of(u);
    struct tap_options *o = &t->options;

    tap_script_stop(t->script);
    if (o->downscript)
        run_downscript(t);
    watch_close(t->watch);
    arrivals_finish(&t->unsent);
    frame_unref(t->spare);
    free((char *)o->script);
    free((char *)o->downscript);
    free((char *)o->file);
}

static const struct uplink_ops tap_ops = {.kind = "tap",
                                          .send = tap_send,
                                          .room = tap_room,
                                          .woken = tap_woken,
                                          .describe = tap_describe,
                                          .close = tap_close};

const char *tap_ifname(const struct uplink *u)
{
    return tap_of(u)->device.ifname;
}

static char *own(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

static struct tap_uplink *tap_make(struct sim *s, const char *name, const struct tap_options *o,
                                   const struct tap_device *d)
{
    struct tap_uplink *t = xcalloc(1, sizeof(*t));

    t->device = *d;
    t->options = *o;
    t->options.script = own(o->script);
    t->options.downscript = own(o->downscript);
    t->options.file = own(o->file);
    t->spare = frame_new(FRAME_MAX_LEN);
    uplink_init(&t->uplink, &tap_ops, s, name);
    uplink_join(&t->uplink, NULL, !o->script);
    actor_set_live(&t->uplink.actor, true);
    return t;
}

struct uplink *tap_create(struct sim *s, const char *name, const struct tap_options *o,
                          struct err *err)
{
    struct tap_device d;

    if (!tap_options_check(o, err) || !tap_open(&s->loop, &d, o, err))
        return NULL;
    if (!tap_host_setup(d.ifname, o, err)) {
        close(d.fd);
        return NULL;
    }
    struct tap_uplink *t = tap_make(s, name, o, &d);
    t->watch = watch_open(&s->loop, d.fd, on_ready, t);
    assert(t->watch); /* the kernel's can be watched, and tap_open has seen that nobody does */
    if (o->script)
        t->script = tap_script_start(&s->loop, o->script, d.ifname, o->timeout_ns, on_script, t);
    else
        set_ready(t);
    if (!o->fd && (!o->ifname || strchr(o->ifname, '%')))
        fprintf(stderr, "lanarium: tap %s: interface %s\n", name, d.ifname);
    return &t->uplink;
}
