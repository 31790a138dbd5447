/*
 * Frames through a VLAN with no guest: one port sends, one receives, the host's clock is read.
 *
 *     vlan [--capture FILE] [--size BYTES] [--frames N]
 *
 * Prints frames per second, and frames per second of CPU time.
 */
#include <getopt.h>
#include <stdio.h>
#include <time.h>

#include "sim/capture.h"
#include "sim/port.h"
#include "sim/sim.h"
#include "sim/vlan.h"

#define BURST 16            /* frames a sender has ready at a time, as a ring does */
#define BURST_EVERY (5 * NS_PER_US)

struct end {
    struct actor actor;
    struct port port;
    struct event event;
    uint64_t left, got;
    uint32_t size;
    uint8_t number;
};

static void send_burst(struct event *ev, vtime_t now)
{
    struct end *e = container_of(ev, struct end, event);

    for (unsigned i = 0; i < BURST && e->left; i++, e->left--) {
        struct frame *f = frame_new(e->size);
        memset(f->data, 0, 64);
        f->data[0] = f->data[6] = 2;
        f->data[5] = (uint8_t)!e->number;
        f->data[11] = e->number;
        f->len = e->size;
        port_send(&e->port, f);
    }
    if (e->left)
        evq_arm(&e->actor.events, ev, now + BURST_EVERY);
}

static enum port_verdict receive(struct port *p, struct frame *f)
{
    struct end *e = container_of(p, struct end, port);

    (void)f;
    e->got++;
    return PORT_TAKEN;
}

static const struct port_ops port_ops = {.kind = "bench", .rx = receive};
static const struct actor_ops actor_ops = {.kind = "bench"};

static void end_init(struct end *e, struct sim *s, struct vlan *v, uint8_t number, uint32_t size)
{
    *e = (struct end){.number = number, .size = size};
    actor_init(&e->actor, &actor_ops, s, number ? "b" : "a");
    port_init(&e->port, &port_ops, &e->actor, number ? "b" : "a");
    port_attach(&e->port, v, &v->link);
    event_init(&e->actor.events, &e->event, send_burst);
    e->left = number; /* one frame, so that the switch knows it */
    evq_arm(&e->actor.events, &e->event, 0);
    actor_due_changed(&e->actor);
}

static double host_seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add_capture(struct sim *s, struct vlan *v, const char *path)
{
    struct err err = {0};
    struct capture *c = capture_open(s, &(struct capture_options){.path = path}, &err);

    if (!c) {
        err_print(&err, stderr);
        exit(2);
    }
    capture_add_vlan(c, v);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"capture", 1, 0, 'c'},
                                            {"size", 1, 0, 's'},
                                            {"frames", 1, 0, 'n'},
                                            {0}};
    const char *capture = NULL;
    uint64_t frames = 4000000;
    uint32_t size = 64;
    struct sim s;
    struct end ends[2];
    struct err err = {0};

    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (o) {
        case 'c': capture = optarg; break;
        case 's': size = (uint32_t)MAX(64, atoi(optarg)); break;
        case 'n': frames = strtoull(optarg, NULL, 0); break;
        default: return 2;
        }
    sim_init(&s, &(struct sim_options){.seed = 1});
    struct vlan *v = vlan_create(&s, "lan", VLAN_SWITCH);
    v->link.rate_bps = 0;
    for (uint8_t i = 0; i < 2; i++)
        end_init(&ends[i], &s, v, i, size);
    if (capture)
        add_capture(&s, v, capture);
    sim_run(&s, VTIME_NEVER);
    ends[0].left = frames;
    evq_arm(&ends[0].actor.events, &ends[0].event, s.now);
    actor_due_changed(&ends[0].actor);

    double began = host_seconds(CLOCK_MONOTONIC), cpu = host_seconds(CLOCK_PROCESS_CPUTIME_ID);
    sim_run(&s, VTIME_NEVER);
    bool ok = !capture || capture_close(s.captures, s.now, &err);
    double took = host_seconds(CLOCK_MONOTONIC) - began;
    cpu = host_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (!ok || ends[1].got != frames) {
        fprintf(stderr, "vlan: %llu of %llu frames arrived\n", (unsigned long long)ends[1].got,
                (unsigned long long)frames);
        return 1;
    }
    printf("%.0f %.0f\n", (double)frames / took, (double)frames / cpu);
    for (unsigned i = 0; i < 2; i++) {
        port_finish(&ends[i].port);
        actor_finish(&ends[i].actor);
    }
    sim_finish(&s);
    return 0;
}
