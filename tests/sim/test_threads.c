/* Threads: the pool does every item once, and a network is the same on any number of them. */
#include "rig.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "sim/capture.h"
#include "sim/host_time.h"
#include "sim/recording.h"
#include "sim/rng.h"
#include "sim/tap.h"
#include "sim/workers.h"

#define PATIENCE (20 * NS_PER_SEC) /* for another thread to come, before that is a failure */

/* --- the pool --- */

struct batch {
    uint32_t done[500]; /* how often: no atomics, so that a race would show */
};

static void count_item(void *opaque, uint32_t item, unsigned thread)
{
    struct batch *b = opaque;

    (void)thread;
    b->done[item]++;
}

/* Random parts for each thread: none, few, many. */
static void parts_make(uint32_t *first, unsigned n, struct rng *r)
{
    first[0] = 0;
    for (unsigned t = 0; t < n; t++)
        first[t + 1] = first[t] + (uint32_t)rng_below(r, rng_below(r, 3) * 50 + 1);
}

static void every_item_of_every_batch_is_done_once(void **state)
{
    struct rng r;
    (void)state;
    rng_init(&r, 1, "pool");
    for (unsigned n = 1; n <= 5; n++) {
        struct workers *w = workers_create(n);
        for (unsigned k = 0; k < 3000; k++) {
            struct batch b = {0};
            uint32_t first[6];
            parts_make(first, n, &r);
            workers_begin(w, count_item, &b, first, 1 + k % 7);
            workers_join(w);
            for (uint32_t i = 0; i < ARRAY_LEN(b.done); i++)
                if (b.done[i] != (i < first[n]))
                    fail_msg("%u threads, batch %u: item %u done %u times", n, k, i, b.done[i]);
        }
        workers_destroy(w);
    }
}

/* An item that ends when `want` of them are under way at once. */
struct meeting {
    _Atomic unsigned here;
    unsigned want;
    _Atomic bool late;
};

static void meet(struct meeting *m)
{
    int64_t start = host_now_ns();

    atomic_fetch_add(&m->here, 1);
    while (atomic_load(&m->here) < m->want && !m->late) {
        m->late = host_now_ns() - start > PATIENCE;
        sched_yield();
    }
}

static void meet_item(void *opaque, uint32_t item, unsigned thread)
{
    struct meeting *m = opaque;

    (void)thread;
    meet(&m[item % 2]);
}

static void a_thread_with_nothing_left_takes_from_others(void **state)
{
    (void)state;
    struct workers *w = workers_create(3);
    for (unsigned whose = 0; whose < 3; whose++) {
        struct meeting m[2] = {{.want = 3}, {.want = 0}};
        uint32_t first[4] = {0};
        for (unsigned t = whose; t < 3; t++)
            first[t + 1] = 6; /* all in one part: three of them wait for each other */
        workers_begin(w, meet_item, m, first, 1);
        workers_join(w);
        assert_int_equal(m[0].here, 3);
        assert_false(m[0].late);
    }
    workers_destroy(w);
}

static void slow_item(void *opaque, uint32_t item, unsigned thread)
{
    int64_t end = host_now_ns() + 3 * NS_PER_MS;

    (void)item;
    while (thread != 0 && host_now_ns() < end)
        ;
    ((unsigned *)opaque)[item]++;
}

/* Threads that have fallen asleep, at either side, are woken. */
static void sleepers_are_woken(void **state)
{
    (void)state;
    struct workers *w = workers_create(2);
    for (unsigned k = 0; k < 20; k++) {
        unsigned done[2] = {0};
        workers_begin(w, slow_item, done, (uint32_t[]){0, 1, 2}, 1);
        workers_join(w);
        assert_true(done[0] == 1 && done[1] == 1);
        for (int64_t end = host_now_ns() + 2 * NS_PER_MS; host_now_ns() < end;)
            sched_yield();
    }
    workers_destroy(w);
}

/* --- networks --- */

#define NODES 24
#define VLANS 5
#define PORTS 3 /* of a router; others have one */

/* Sends at random, answers at random, and remembers in a hash all that it saw. */
struct node {
    struct actor actor;
    struct port ports[PORTS];
    unsigned n_ports;
    struct event tick, control;
    struct world *world;
    struct rng rng;
    uint64_t seen;
    unsigned n_controls;
};

/* Someone who watches a VLAN or a port; of a port, each direction has an order (see tap.h). */
struct watcher {
    struct tap tap;
    struct world *world;
    uint64_t seen[TAP_IN + 1];
    vtime_t last[TAP_IN + 1];
};

struct world {
    struct sim sim;
    struct vlan *vlans[VLANS];
    struct node nodes[NODES];
    struct watcher watchers[3];
    _Atomic bool wrong_thread, unordered;
    pthread_t main;
};

static void note(uint64_t *h, uint64_t v)
{
    *h = hash_bytes(*h, &v, sizeof(v));
}

static void node_send(struct node *n, unsigned port, uint32_t len)
{
    struct frame *f = frame_new(len);

    memset(f->data, 0, len);
    f->data[0] = f->data[6] = 2;
    f->data[5] = (uint8_t)rng_below(&n->rng, NODES * PORTS + 1);
    if (rng_below(&n->rng, 8) == 0)
        memset(f->data, 0xff, ETH_ALEN);
    f->data[11] = (uint8_t)(n->actor.id * PORTS + port);
    store_le64(f->data + ETH_HLEN, rng_next(&n->rng));
    f->len = len;
    port_send(&n->ports[port], f);
}

static void node_tick(struct event *ev, vtime_t now)
{
    struct node *n = container_of(ev, struct node, tick);

    if (n->actor.ops->main_thread && !pthread_equal(pthread_self(), n->world->main))
        n->world->wrong_thread = true;
    for (uint64_t k = rng_below(&n->rng, 6); k-- > 0;)
        node_send(n, (unsigned)rng_below(&n->rng, n->n_ports),
                  60 + (uint32_t)rng_below(&n->rng, 1400));
    if (rng_below(&n->rng, 64) == 0)
        actor_control(&n->actor, &n->control, now + NS_PER_MS);
    evq_arm(&n->actor.events, ev, now + 1 + (vtime_t)rng_below(&n->rng, 40 * NS_PER_US));
}

static enum port_verdict node_rx(struct port *p, struct frame *f)
{
    struct node *n = container_of(p->owner, struct node, actor);
    unsigned port = (unsigned)(p - n->ports);

    note(&n->seen, (uint64_t)p->owner->now);
    note(&n->seen, port);
    n->seen = hash_bytes(n->seen, f->data, f->len);
    if (rng_below(&n->rng, 4) == 0)
        node_send(n, (port + 1) % n->n_ports, 60);
    if (rng_below(&n->rng, 16) == 0) {
        evq_arm(&p->owner->events, &n->tick, p->owner->now + 3000);
        return PORT_DROPPED;
    }
    return PORT_TAKEN;
}

/* A node's wish at a barrier: a cable is pulled, plugged in elsewhere, or the carrier changes. */
static void node_control(struct event *ev, vtime_t now)
{
    struct node *n = container_of(ev, struct node, control);
    struct port *p = &n->ports[rng_below(&n->rng, n->n_ports)];
    struct vlan *v = n->world->vlans[rng_below(&n->rng, VLANS)];

    (void)now;
    n->n_controls++;
    switch (rng_below(&n->rng, 3)) {
    case 0: port_set_up(p, !p->up); break;
    case 1: port_attach(p, v, &v->link); break;
    default: port_detach(p);
    }
}


static void watcher_seen(struct tap *t, vtime_t at, struct port *p, enum tap_dir dir,
                         struct frame *f)
{
    struct watcher *w = container_of(t, struct watcher, tap);

    if (!pthread_equal(pthread_self(), w->world->main))
        w->world->wrong_thread = true;
    if (at < w->last[dir])
        w->world->unordered = true;
    w->last[dir] = at;
    note(&w->seen[dir], (uint64_t)at);
    note(&w->seen[dir], p->id);
    w->seen[dir] = hash_bytes(w->seen[dir], f->data, f->len);
}

static const struct actor_ops any_thread = {.kind = "node"};
static const struct actor_ops main_thread = {.kind = "node", .main_thread = true};
static const struct port_ops node_port = {.kind = "node", .rx = node_rx};

static void node_init(struct world *w, unsigned i)
{
    struct node *n = &w->nodes[i];
    char name[16];

    snprintf(name, sizeof(name), "n%u", i);
    actor_init(&n->actor, i % 8 == 7 ? &main_thread : &any_thread, &w->sim, name);
    rng_init(&n->rng, 1, name);
    n->world = w;
    n->n_ports = i % 6 == 0 ? PORTS : 1;
    for (unsigned k = 0; k < n->n_ports; k++) {
        struct vlan *v = w->vlans[(i + k) % VLANS];
        snprintf(name, sizeof(name), "n%u.%u", i, k);
        port_init(&n->ports[k], &node_port, &n->actor, name);
        port_attach(&n->ports[k], v, &v->link);
    }
    event_init(&n->actor.events, &n->tick, node_tick);
    event_init(&w->sim.control, &n->control, node_control);
    evq_arm(&n->actor.events, &n->tick, i * 100);
    actor_due_changed(&n->actor);
}

/* Switches and hubs, fast lines and some that overflow; who watches sees all kinds. */
static struct world *world_create(const struct sim_options *o)
{
    struct world *w = xcalloc(1, sizeof(*w));

    w->main = pthread_self();
    sim_init(&w->sim, o);
    for (unsigned i = 0; i < VLANS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "v%u", i);
        w->vlans[i] = vlan_create(&w->sim, name, i % 3 ? VLAN_SWITCH : VLAN_HUB);
        w->vlans[i]->link.delay_ns = 10000 + 700 * (vtime_t)i;
        w->vlans[i]->link.rate_bps = i == 1 ? 100000000 : 1000000000;
        w->vlans[i]->link.queue_bytes = i == 1 ? 8192 : 524288;
    }
    for (unsigned i = 0; i < NODES; i++)
        node_init(w, i);
    for (unsigned i = 0; i < ARRAY_LEN(w->watchers); i++) {
        w->watchers[i] = (struct watcher){.tap.seen = watcher_seen, .world = w};
        tap_add(i < 2 ? &w->vlans[i]->taps : &w->nodes[0].ports[0].taps, &w->watchers[i].tap);
    }
    return w;
}

static void world_destroy(struct world *w)
{
    for (unsigned i = 0; i < NODES; i++) {
        evq_cancel(&w->sim.control, &w->nodes[i].control);
        for (unsigned k = 0; k < w->nodes[i].n_ports; k++)
            port_finish(&w->nodes[i].ports[k]);
        actor_finish(&w->nodes[i].actor);
    }
    sim_finish(&w->sim);
    free(w);
    assert_int_equal(frame_alive(), 0);
}

static uint64_t world_hash(struct world *w)
{
    uint64_t h = sim_fingerprint(&w->sim);

    for (unsigned i = 0; i < NODES; i++) {
        note(&h, w->nodes[i].seen);
        note(&h, w->nodes[i].n_controls);
    }
    for (unsigned i = 0; i < ARRAY_LEN(w->watchers); i++)
        h = hash_bytes(h, w->watchers[i].seen, sizeof(w->watchers[i].seen));
    return h;
}

#define STOPS 8

/* Run it and leave what it was at some times. */
static void world_play(const struct sim_options *o, uint64_t hash[STOPS])
{
    struct world *w = world_create(o);

    for (unsigned i = 0; i < STOPS; i++) {
        assert_int_equal(sim_run(&w->sim, (i + 1) * 2500 * NS_PER_US), SIM_REACHED);
        hash[i] = world_hash(w);
    }
    assert_false(w->wrong_thread);
    assert_false(w->unordered);
    assert_true(w->sim.stats.frames > 1000);
    if (o->eager && o->threads > 1) {
        assert_true(w->sim.stats.shared > 100);
        assert_true(w->sim.stats.vlans_shared > 100);
    }
    world_destroy(w);
}

static void any_number_of_threads_gives_the_same_network(void **state)
{
    uint64_t first[STOPS], hash[STOPS];
    (void)state;
    world_play(&(struct sim_options){.seed = 1, .threads = 1}, first);
    for (unsigned threads = 1; threads <= 5; threads++) {
        struct sim_options o = {.seed = 1, .threads = threads, .eager = true};
        o.max_window = threads == 4 ? 3000 : 0;
        world_play(&o, hash);
        for (unsigned i = 0; i < STOPS; i++)
            if (hash[i] != first[i])
                fail_msg("%u threads: another network at stop %u", threads, i);
    }
    world_play(&(struct sim_options){.seed = 1}, hash);
    assert_memory_equal(hash, first, sizeof(first));
}

/* --- that they do run at once --- */

struct visitor {
    struct actor actor;
    struct event event;
    struct meeting *meeting;
};

static void visitor_fire(struct event *ev, vtime_t now)
{
    (void)now;
    meet(container_of(ev, struct visitor, event)->meeting);
}

static void actors_of_one_window_run_at_once(void **state)
{
    struct meeting m = {.want = 3};
    struct visitor v[3];
    struct rig r;
    (void)state;
    rig_init(&r, &(struct sim_options){.threads = 3, .eager = true});
    for (unsigned i = 0; i < 3; i++) {
        v[i].meeting = &m;
        actor_init(&v[i].actor, i ? &any_thread : &main_thread, &r.sim, "visitor");
        event_init(&v[i].actor.events, &v[i].event, visitor_fire);
        evq_arm(&v[i].actor.events, &v[i].event, 5000);
        actor_due_changed(&v[i].actor);
    }
    sim_run(&r.sim, NS_PER_MS);
    assert_false(m.late);
    for (unsigned i = 0; i < 3; i++)
        actor_finish(&v[i].actor);
    rig_finish(&r);
}

/* --- signals --- */

/* Of all threads but this one: how many, and how many of them take SIGINT. */
static unsigned others_that_take_signals(unsigned *others)
{
    DIR *tasks = opendir("/proc/self/task");
    unsigned n = 0;

    *others = 0;
    for (const struct dirent *d; (d = readdir(tasks));) {
        unsigned long long blocked = 0;
        char path[300], line[128];
        if (d->d_name[0] == '.' || atoi(d->d_name) == (int)getpid())
            continue;
        snprintf(path, sizeof(path), "/proc/self/task/%s/status", d->d_name);
        FILE *f = fopen(path, "r");
        while (f && fgets(line, sizeof(line), f))
            sscanf(line, "SigBlk: %llx", &blocked);
        if (f)
            fclose(f);
        ++*others;
        n += !(blocked >> (SIGINT - 1) & 1);
    }
    closedir(tasks);
    return n;
}

/* Ctrl-C is no reason for a write to a slow reader to fail. */
static void no_thread_but_the_main_one_takes_signals(void **state)
{
    struct capture_options o = {.path = "/dev/null"};
    struct err err = {0};
    unsigned others;
    struct rig r;
    (void)state;
    struct workers *w = workers_create(2);
    struct recording *recording = recording_create("/dev/null", "", &err);
    recording_begin(recording);
    rig_init(&r, NULL);
    struct vlan *v = vlan_create(&r.sim, "lan", VLAN_HUB);
    struct capture *c = capture_open(&r.sim, &o, &err);
    capture_add_vlan(c, v);
    rig_send_at(rig_talker(&r, v), 0, 0xff, 100, 0);
    sim_run(&r.sim, NS_PER_MS);
    capture_flush(c);
    assert_int_equal(others_that_take_signals(&others), 0);
    assert_true(others >= 3);
    assert_true(capture_close(c, r.sim.now, &err));
    assert_true(recording_close(recording, 0, &err));
    workers_destroy(w);
    rig_finish(&r);
}

/* --- host time --- */

static void *add_time(void *opaque)
{
    for (unsigned i = 0; i < 1000; i++)
        host_time_add(HOST_TRANSLATE, 3);
    return opaque;
}

static void host_time_of_all_threads_is_summed(void **state)
{
    int64_t before = host_time_sum(HOST_TRANSLATE);
    pthread_t t[3];
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&t[i], NULL, add_time, NULL), 0);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(host_time_sum(HOST_TRANSLATE) - before, 9000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_of_every_batch_is_done_once),
        cmocka_unit_test(a_thread_with_nothing_left_takes_from_others),
        cmocka_unit_test(sleepers_are_woken),
        cmocka_unit_test(any_number_of_threads_gives_the_same_network),
        cmocka_unit_test(actors_of_one_window_run_at_once),
        cmocka_unit_test(no_thread_but_the_main_one_takes_signals),
        cmocka_unit_test(host_time_of_all_threads_is_summed),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
