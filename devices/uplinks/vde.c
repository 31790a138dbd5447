/*
 * A port of a VDE switch.
 *
 * Opening one waits for the switch's answer, for ever if it gives none; so it is done by a thread,
 * which is cancelled if it takes too long. The library then loses two descriptors: after some such
 * attempts there is no other. The switch is watched by the control connection, which says nothing
 * until it is closed.
 *
 *     up --control closed--> down --alarm--> opening --thread is done--> up or down
 */
#include "devices/uplinks/vde.h"

#include <errno.h>
#include <fcntl.h>
#include <libvdeplug.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/uplinks/datagrams.h"
#include "sim/sim.h"

enum {
    RETRY_FIRST_MS = 100,
    RETRY_LAST_MS = 10000,
    MAX_SILENT = 8, /* attempts that were not answered */
};

/* What the thread works on; nobody else touches it until `done` tells. */
struct attempt {
    pthread_t thread;
    char *sock, *group, *descr;
    struct vde_open_args args;
    VDECONN *conn;
    int error;
    int done; /* an eventfd */
};

struct vde {
    struct datagrams base;
    char *sock, *group;
    unsigned port, mode;
    VDECONN *conn;
    struct watch *control, *opening;
    struct alarm *alarm;
    struct attempt *attempt; /* under way */
    unsigned retry_ms;
    unsigned n_silent;
    uint64_t n_lost;
};

static struct vde *vde_of(struct datagrams *d)
{
    return container_of(d, struct vde, base);
}

/* --- attempts --- */

static void *attempt_run(void *opaque)
{
    struct attempt *a = opaque;

    a->conn = vde_open(a->sock, a->descr, &a->args);
    a->error = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    eventfd_write(a->done, 1);
    return NULL;
}

static void attempt_free(struct attempt *a)
{
    close(a->done);
    free(a->sock);
    free(a->group);
    free(a->descr);
    free(a);
}

static struct attempt *attempt_start(const struct vde *k)
{
    struct attempt *a = xcalloc(1, sizeof(*a));

    a->sock = k->sock ? xstrdup(k->sock) : NULL;
    a->group = k->group ? xstrdup(k->group) : NULL;
    a->descr = xasprintf("Lanarium %s", k->base.uplink.actor.name);
    a->args = (struct vde_open_args){(int)k->port, a->group, k->mode};
    a->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    a->error = EAGAIN;
    if (a->done < 0 || pthread_create(&a->thread, NULL, attempt_run, a) != 0) {
        attempt_free(a);
        return NULL;
    }
    return a;
}

/* The thread has said that it is done, or is told to be. The connection, or NULL with errno. */
static VDECONN *attempt_end(struct attempt *a, bool too_late)
{
    if (too_late)
        pthread_cancel(a->thread);
    pthread_join(a->thread, NULL);
    VDECONN *conn = a->conn;
    int error = a->error;
    attempt_free(a);
    errno = error;
    return conn;
}

/* --- up and down --- */

static void on_control(void *opaque, int events)
{
    struct vde *k = opaque;
    char rest[64];
    ssize_t n = recv(vde_ctlfd(k->conn), rest, sizeof(rest), MSG_DONTWAIT);

    (void)events;
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    watch_set(k->control, 0);
    k->base.broken = true;
    uplink_poke(&k->base.uplink);
}

/* The library keeps its descriptors, so that others for the same sockets are watched. */
static bool vde_up(struct vde *k, VDECONN *conn)
{
    int data = fcntl(vde_datafd(conn), F_DUPFD_CLOEXEC, 3);
    int control = fcntl(vde_ctlfd(conn), F_DUPFD_CLOEXEC, 3);

    k->conn = conn;
    if (data < 0 || !datagrams_open(&k->base, data, data)) {
        if (control >= 0)
            close(control);
        return false;
    }
    datagrams_buffer(data);
    if (control >= 0)
        k->control = watch_open(&k->base.uplink.actor.sim->loop, control, on_control, k);
    if (k->control)
        watch_set(k->control, UV_READABLE);
    else if (control >= 0)
        close(control);
    k->retry_ms = RETRY_FIRST_MS;
    return true;
}

static void vde_down(struct vde *k)
{
    datagrams_shut(&k->base);
    watch_close(k->control);
    k->control = NULL;
    if (k->conn)
        vde_close(k->conn);
    k->conn = NULL;
}

static void retry_later(struct vde *k)
{
    alarm_set(k->alarm, k->retry_ms);
    k->retry_ms = MIN(k->retry_ms * 2, (unsigned)RETRY_LAST_MS);
}

static void on_opened(void *opaque, int events)
{
    struct vde *k = opaque;

    (void)events;
    watch_set(k->opening, 0);
    uplink_poke(&k->base.uplink);
}

static void opening_end(struct vde *k)
{
    watch_close(k->opening);
    k->opening = NULL;
    k->attempt = NULL;
}

/* Time to try; or the attempt under way has taken too long. */
static void on_alarm(void *opaque)
{
    struct vde *k = opaque;

    if (k->attempt) {
        struct attempt *a = k->attempt;
        opening_end(k);
        VDECONN *conn = attempt_end(a, true);
        if (conn)
            vde_close(conn);
        if (++k->n_silent < MAX_SILENT)
            retry_later(k);
        return;
    }
    k->attempt = attempt_start(k);
    int done = k->attempt ? fcntl(k->attempt->done, F_DUPFD_CLOEXEC, 3) : -1;
    if (done >= 0)
        k->opening = watch_open(&k->base.uplink.actor.sim->loop, done, on_opened, k);
    if (k->opening)
        watch_set(k->opening, UV_READABLE);
    alarm_set(k->alarm, VDE_PATIENCE_MS);
}

static void vde_woken(struct uplink *u)
{
    struct vde *k = container_of(u, struct vde, base.uplink);
    eventfd_t n;

    datagrams_woken(u);
    if (k->base.broken && k->conn) {
        k->n_lost++;
        vde_down(k);
        retry_later(k);
    } else if (k->attempt && eventfd_read(k->attempt->done, &n) == 0) {
        struct attempt *a = k->attempt;
        opening_end(k);
        alarm_cancel(k->alarm);
        VDECONN *conn = attempt_end(a, false);
        if (conn && vde_up(k, conn)) {
            uplink_carrier(u->ports, true);
        } else {
            vde_down(k);
            retry_later(k);
        }
    }
}

/* --- frames --- */

static ssize_t vde_read(struct datagrams *d, void *bytes, size_t size)
{
    return vde_recv(vde_of(d)->conn, bytes, size, MSG_DONTWAIT);
}

static ssize_t vde_write(struct datagrams *d, const void *bytes, size_t len)
{
    return vde_send(vde_of(d)->conn, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* --- life --- */

static void vde_describe(const struct uplink *u, FILE *to)
{
    const struct vde *k = container_of(u, struct vde, base.uplink);

    fprintf(to, "sock=%s", k->sock ? k->sock : "(default)");
    if (k->port)
        fprintf(to, ", port=%u", k->port);
    if (k->n_lost)
        fprintf(to, ", lost %llu times", (unsigned long long)k->n_lost);
    if (k->n_silent == MAX_SILENT)
        fputs(", given up: the switch does not answer", to);
    datagrams_describe(&k->base, to);
}

static void vde_close_uplink(struct uplink *u)
{
    struct vde *k = container_of(u, struct vde, base.uplink);

    if (k->attempt) {
        struct attempt *a = k->attempt;
        opening_end(k);
        VDECONN *conn = attempt_end(a, true);
        if (conn)
            vde_close(conn);
    }
    vde_down(k);
    alarm_close(k->alarm);
    free(k->sock);
    free(k->group);
}

/* The first time: wait for the answer. */
static bool open_first(struct vde *k, const struct vde_options *o, struct err *err)
{
    const char *sock = o->sock ? o->sock : "the default VDE switch";
    struct attempt *a = attempt_start(k);
    struct pollfd p = {.fd = a ? a->done : -1, .events = POLLIN};
    int answered = a ? poll(&p, 1, VDE_PATIENCE_MS) : 0; /* a signal ends it as if in vain */
    VDECONN *conn = a ? attempt_end(a, answered != 1) : NULL;

    if (conn && vde_up(k, conn))
        return true;
    if (answered == 1)
        err_at(err, o->file, o->line, "vde: cannot open %s: %s; is there a vde_switch?", sock,
               strerror(errno));
    else
        err_at(err, o->file, o->line, "vde: %s does not answer", sock);
    return false;
}

static const struct uplink_ops vde_ops = {.kind = "vde",
                                          .send = datagrams_send,
                                          .room = datagrams_room,
                                          .woken = vde_woken,
                                          .describe = vde_describe,
                                          .close = vde_close_uplink};
static const struct datagrams_ops vde_datagrams = {.read = vde_read, .write = vde_write};

struct uplink *vde_create(struct sim *s, const char *name, const struct vde_options *o,
                          struct err *err)
{
    struct vde *k = xcalloc(1, sizeof(*k));

    datagrams_init(&k->base, &vde_ops, &vde_datagrams, s, name, true);
    k->base.max_frame = VDE_ETHBUFSIZE;
    k->sock = o->sock ? xstrdup(o->sock) : NULL;
    k->group = o->group ? xstrdup(o->group) : NULL;
    k->port = o->port;
    k->mode = o->mode;
    k->retry_ms = RETRY_FIRST_MS;
    k->alarm = alarm_open(&s->loop, on_alarm, k);
    if (!open_first(k, o, err)) {
        uplink_destroy(&k->base.uplink);
        return NULL;
    }
    return &k->base.uplink;
}
