/* What all uplinks share: when frames enter, what waits, ports that come and go, recordings. */
#include "tests/sim/rig.h"

#include <stdio.h>
#include <unistd.h>

#include "devices/uplinks/uplink.h"
#include "sim/recording.h"
#include "sim/rng.h"

/* A kind with no host behind it: the tests are the host. */
struct fake {
    struct uplink uplink;
    enum port_verdict verdict;
    unsigned n_sent, n_room, n_closed;
    void (*woken)(struct fake *k);
};

static struct rig rig;
static struct vlan *vlan;
static struct talker *talker;
static struct uplink *uplink;

static struct fake *fake(void)
{
    return (struct fake *)uplink;
}

static enum port_verdict fake_send(struct uplink_port *p, struct frame *f)
{
    struct fake *k = (struct fake *)p->uplink;

    (void)f;
    k->n_sent += k->verdict == PORT_TAKEN;
    return k->verdict;
}

static void fake_room(struct uplink_port *p)
{
    ((struct fake *)p->uplink)->n_room++;
}

static void fake_woken(struct uplink *u)
{
    struct fake *k = (struct fake *)u;

    if (k->woken)
        k->woken(k);
}

static void fake_close(struct uplink *u)
{
    ((struct fake *)u)->n_closed++;
}

static const struct uplink_ops fake_ops = {
    .kind = "fake", .send = fake_send, .room = fake_room, .woken = fake_woken, .close = fake_close};

static void start(enum uplink_start how)
{
    rig_init(&rig, NULL);
    vlan = vlan_create(&rig.sim, "lan", VLAN_SWITCH);
    talker = rig_talker(&rig, vlan);
    struct fake *k = xcalloc(1, sizeof(*k));
    k->verdict = PORT_TAKEN;
    uplink = &k->uplink;
    uplink_init(uplink, &fake_ops, &rig.sim, "up");
    if (how != UPLINK_NO_PORT)
        uplink_join(uplink, NULL, how == UPLINK_UP);
    uplink_attach(uplink, vlan, &vlan->link);
}

static void finish(void)
{
    uplink_destroy(uplink);
    rig_finish(&rig);
}

/* A frame from outside, to everyone. */
static bool receive(struct uplink_port *p, uint32_t len, uint8_t mark)
{
    struct frame *f = frame_new(MAX(len, (uint32_t)FRAME_MIN_WIRE));

    memset(f->data, 0, f->cap);
    memset(f->data, 0xff, ETH_ALEN);
    memcpy(f->data + ETH_ALEN, (uint8_t[]){2, 0, 0, 0, 1, mark}, ETH_ALEN);
    f->data[ETH_HLEN] = mark;
    f->len = len;
    return uplink_receive(p, f);
}

/* The outside does something while the run stands at a time. */
struct moment {
    struct event event;
    void (*act)(void);
};

static void moment_fire(struct event *ev, vtime_t now)
{
    (void)now;
    container_of(ev, struct moment, event)->act();
}

static void at(struct moment *m, vtime_t when, void (*act)(void))
{
    event_init(&rig.sim.control, &m->event, moment_fire);
    m->act = act;
    sim_at(&rig.sim, &m->event, when);
}

static void receive_one(void)
{
    receive(uplink->ports, 100, 7);
}

static void a_frame_enters_at_the_barrier_after_it_came(void **state)
{
    struct moment m;
    (void)state;

    start(UPLINK_UP);
    at(&m, 5 * NS_PER_MS, receive_one);
    sim_run(&rig.sim, NS_PER_SEC);
    assert_int_equal(talker->n_seen, 1);
    assert_int_equal(talker->seen[0].mark, 7);
    /* The next barrier, two links of 10 us, and 124 bytes at 1 Gbit/s on each. */
    assert_int_equal(talker->seen[0].at, 5 * NS_PER_MS + SIM_GRID + 2 * (10000 + 992));
    finish();
}

static void frames_wait_for_room_on_the_line_and_none_is_lost(void **state)
{
    struct link slow = {LINK_DEFAULT_DELAY, 10000000, 3000};
    unsigned n = 0;
    (void)state;

    start(UPLINK_UP);
    uplink_attach(uplink, vlan, &slow);
    while (receive(uplink->ports, 1500, (uint8_t)n))
        n++;
    assert_true(n > 100);
    sim_run(&rig.sim, 10 * NS_PER_MS);
    assert_int_equal(fake()->n_room, 1); /* told once, as soon as there was some */
    sim_run(&rig.sim, 10 * NS_PER_SEC);
    assert_int_equal(talker->n_seen, n + 1);
    assert_int_equal(port_dropped(&uplink->ports->port), 0);
    finish();
}

static void what_could_not_be_a_frame_is_refused_and_counted(void **state)
{
    (void)state;

    start(UPLINK_UP);
    receive(uplink->ports, ETH_HLEN - 1, 1);
    receive(uplink->ports, FRAME_MAX_LEN + 1, 2);
    receive(uplink->ports, ETH_HLEN, 3); /* a runt: padded */
    sim_run(&rig.sim, NS_PER_SEC);
    assert_int_equal(uplink->refused, 2);
    assert_int_equal(talker->n_seen, 1);
    assert_int_equal(talker->seen[0].len, FRAME_MIN_WIRE);
    finish();
}

static void host_takes_again(struct fake *k)
{
    k->verdict = PORT_TAKEN;
    uplink_ready(k->uplink.ports);
}

static void poke(void)
{
    uplink_poke(uplink);
}

static void a_frame_that_the_host_did_not_take_is_kept_for_it(void **state)
{
    struct moment m;
    (void)state;

    start(UPLINK_UP);
    fake()->verdict = PORT_HOLD;
    fake()->woken = host_takes_again;
    rig_send_at(talker, 0, 0xff, 100, 1);
    rig_send_at(talker, 10, 0xff, 100, 2);
    sim_run(&rig.sim, NS_PER_MS);
    assert_int_equal(fake()->n_sent, 0);
    at(&m, 2 * NS_PER_MS, poke);
    sim_run(&rig.sim, NS_PER_SEC);
    assert_int_equal(fake()->n_sent, 2);
    finish();
}

static void lose_carrier(struct fake *k)
{
    uplink_carrier(k->uplink.ports, false);
}

static void without_carrier_frames_are_dropped_and_counted(void **state)
{
    (void)state;

    start(UPLINK_UP);
    fake()->woken = lose_carrier;
    rig_send_at(talker, 20 * NS_PER_MS, 0xff, 100, 1);
    uplink_poke(uplink);
    sim_run(&rig.sim, 10 * NS_PER_MS);
    receive(uplink->ports, 100, 2);
    sim_run(&rig.sim, NS_PER_SEC);
    assert_int_equal(fake()->n_sent, 0);
    assert_int_equal(talker->n_seen, 0);
    assert_int_equal(uplink->ports->port.stats.drops[DROP_DOWN], 2);
    finish();
}

static void two_join(struct fake *k)
{
    if (k->uplink.ports)
        return;
    uplink_join(&k->uplink, "up.1", true);
    uplink_join(&k->uplink, "up.2", true);
    rig_send(talker, 0xff, 100, 9); /* to both; it leaves with the talker's next event */
}

static void all_leave(struct fake *k)
{
    k->woken = NULL;
    for (struct uplink_port *p = k->uplink.ports; p; p = p->next)
        uplink_leave(p);
}

static void say_goodbye(void)
{
    for (uint8_t i = 0; i < 50; i++)
        receive(uplink->ports, 1000, i);
    fake()->woken = all_leave;
}

static void join_one(struct fake *k)
{
    uplink_join(&k->uplink, "up.2", true);
    k->woken = NULL;
}

static void poke_to_join(void)
{
    fake()->woken = join_one;
    uplink_poke(uplink);
}

/* Whose link was switched off, to it no peer brings one that is on. */
static void a_peer_that_comes_while_the_link_is_off_finds_it_off(void **state)
{
    struct moment came;
    (void)state;
    start(UPLINK_NO_PORT);
    uplink_set_up(uplink, false);
    at(&came, 10 * NS_PER_US, poke_to_join);
    rig_send_at(talker, 100 * NS_PER_US, 0xff, 100, 1);
    sim_run(&rig.sim, NS_PER_MS);
    assert_non_null(uplink->ports);
    assert_false(uplink->ports->port.up);
    assert_int_equal(fake()->n_sent, 0);
    uplink_set_up(uplink, true);
    rig_send_at(talker, 2 * NS_PER_MS, 0xff, 100, 1);
    sim_run(&rig.sim, 3 * NS_PER_MS);
    assert_int_equal(fake()->n_sent, 1);
    finish();
}

static void leave_all(struct fake *k)
{
    for (struct uplink_port *p = k->uplink.ports; p; p = p->next)
        if (!p->leaving)
            uplink_leave(p);
}

static void poke_to_leave(void)
{
    fake()->woken = leave_all;
    uplink_poke(uplink);
}

/* Two peers, of which the first leaves while frames are on their way to it: each is counted. */
static void the_counters_of_peers_that_left_still_add_up(void **state)
{
    struct moment came, left;
    (void)state;
    start(UPLINK_UP);
    at(&came, 10 * NS_PER_US, receive_one);
    for (unsigned i = 0; i < 20; i++)
        rig_send_at(talker, 100 * NS_PER_US + i * 1000, 0xff, 1000, (uint8_t)i);
    at(&left, 150 * NS_PER_US, poke_to_leave);
    sim_run(&rig.sim, NS_PER_MS);
    assert_null(uplink->ports);
    uplink_join(uplink, "up.2", true);
    rig_send_at(talker, 2 * NS_PER_MS, 0xff, 100, 1);
    sim_run(&rig.sim, 3 * NS_PER_MS);

    struct port_stats all = uplink_counters(uplink), total = rig.sim.gone;
    assert_int_equal(all.tx_frames, 1);
    assert_true(all.rx_frames > 1 && all.rx_frames < 21);
    port_stats_add(&total, &uplink->ports->port.stats);
    assert_memory_equal(&total, &all, sizeof(all));
    port_stats_add(&total, &talker->port.stats);
    /* Frames that left the VLAN: taken, or dropped with a reason, or sent while nobody was there.
     */
    assert_int_equal(vlan->stats.copies, total.rx_frames + port_stats_dropped(&total));
    assert_int_equal(vlan->stats.frames, 22);
    finish();
}

static void what_a_peer_sent_before_it_left_arrives(void **state)
{
    struct moment m;
    (void)state;

    start(UPLINK_NO_PORT);
    fake()->woken = two_join;
    rig_send_at(talker, NS_PER_MS, 0xff, 100, 9);
    uplink_poke(uplink);
    at(&m, 5 * NS_PER_MS, say_goodbye);
    sim_run(&rig.sim, 3 * NS_PER_MS);
    assert_int_equal(fake()->n_sent, 2 * 2);
    sim_run(&rig.sim, NS_PER_SEC);
    assert_int_equal(talker->n_seen, 50);
    assert_null(uplink->ports);
    finish();
}

/* --- recordings --- */

static struct rig_seen seen_live[RIG_MAX_SEEN];
static unsigned n_live;

static void busy_life(void)
{
    static struct moment m[4];

    fake()->woken = two_join;
    uplink_poke(uplink);
    at(&m[0], 5 * NS_PER_MS, receive_one);
    at(&m[1], 5 * NS_PER_MS + 3 * SIM_GRID, receive_one);
    at(&m[2], 7 * NS_PER_MS, say_goodbye);
}

static void a_recording_plays_to_the_same_nanosecond(void **state)
{
    char path[] = "/tmp/lanarium-recording-XXXXXX";
    struct err err = {0};
    (void)state;

    close(mkstemp(path));
    start(UPLINK_NO_PORT);
    rig.sim.recording = recording_create(path, "", &err);
    busy_life();
    rig_send_at(talker, 5 * NS_PER_MS + 2 * SIM_GRID, 0xff, 1000, 1);
    sim_run(&rig.sim, NS_PER_SEC);
    n_live = talker->n_seen;
    memcpy(seen_live, talker->seen, sizeof(seen_live));
    uint32_t next_port = rig.sim.next_port_id;
    assert_int_equal(n_live, 52);
    assert_true(recording_close(rig.sim.recording, rig.sim.now, &err));
    finish();

    for (vtime_t window = 0; window <= 7 * NS_PER_US; window += 7 * NS_PER_US) {
        rig_init(&rig, &(struct sim_options){.seed = 1, .max_window = window});
        rig.sim.playback = playback_open(path, &err);
        vlan = vlan_create(&rig.sim, "lan", VLAN_SWITCH);
        talker = rig_talker(&rig, vlan);
        uplink = uplink_stand_in(&rig.sim, "up", UPLINK_NO_PORT);
        uplink_attach(uplink, vlan, &vlan->link);
        rig_send_at(talker, 5 * NS_PER_MS + 2 * SIM_GRID, 0xff, 1000, 1);
        assert_int_equal(sim_run(&rig.sim, VTIME_NEVER), SIM_STOPPED);
        assert_int_equal(rig.sim.now, NS_PER_SEC);
        assert_int_equal(rig.sim.next_port_id, next_port);
        assert_int_equal(talker->n_seen, n_live);
        assert_memory_equal(talker->seen, seen_live, sizeof(seen_live));
        assert_null(uplink->ports);
        assert_true(playback_close(rig.sim.playback, &err));
        finish();
    }
    unlink(path);
    assert_int_equal(err.n, 0);
}

/* The outside of a run that is recorded: at each turn of the loop it does something at random. */
static struct rng outside;
static uv_check_t turn;

static void random_change(struct fake *k)
{
    unsigned n = 0;

    for (struct uplink_port *p = k->uplink.ports; p; p = p->next, n++) {
        if (p->leaving)
            continue;
        switch (rng_below(&outside, 8)) {
        case 0: uplink_carrier(p, !p->carrier); break;
        case 1: uplink_leave(p); break;
        case 2:
        case 3: uplink_ready(p); break;
        default: break;
        }
    }
    k->verdict = (enum port_verdict)rng_below(&outside, 3);
    if (n < 4 && rng_below(&outside, 2))
        uplink_join(&k->uplink, "up.n", rng_below(&outside, 4) > 0);
}

static void random_turn(uv_check_t *c)
{
    (void)c;
    for (struct uplink_port *p = uplink->ports; p; p = p->next)
        if (!p->leaving && rng_below(&outside, 2))
            receive(p, 60 + (uint32_t)rng_below(&outside, 1400), (uint8_t)rng_below(&outside, 256));
    if (rng_below(&outside, 4) == 0)
        uplink_poke(uplink);
}

/* What the inside does by itself. */
static void chatter(void)
{
    for (vtime_t t = 0; t < 2 * NS_PER_MS; t += 3 * NS_PER_US + 170)
        rig_send_at(talker, t, 0xff, 64 + (uint32_t)(t % 900), 1);
}

static void live_run(const char *path, struct err *err)
{
    rig_init(&rig, &(struct sim_options){.seed = 1, .paced = true, .pace = 0.02});
    rig.sim.recording = recording_create(path, "", err);
    vlan = vlan_create(&rig.sim, "lan", VLAN_SWITCH);
    talker = rig_talker(&rig, vlan);
    struct fake *k = xcalloc(1, sizeof(*k));
    uplink = &k->uplink;
    uplink_init(uplink, &fake_ops, &rig.sim, "up");
    uplink_attach(uplink, vlan, &vlan->link);
    k->verdict = PORT_TAKEN;
    k->woken = random_change;
    uv_check_init(&rig.sim.loop, &turn);
    uv_check_start(&turn, random_turn);
    uv_unref((uv_handle_t *)&turn);
    uplink_poke(uplink);
    chatter();
    sim_run(&rig.sim, 2 * NS_PER_MS);
}

static void whatever_the_outside_does_replays_to_the_same_state(void **state)
{
    const char *given = getenv("UPLINK_SEED");
    char path[] = "/tmp/lanarium-recording-XXXXXX";
    uint64_t seed = given ? strtoull(given, NULL, 0) : 20;
    struct port_stats live, again;
    struct err err = {0};
    (void)state;

    close(mkstemp(path));
    for (unsigned round = 0; round < (given ? 1 : 12); round++, seed++) {
        print_message("# UPLINK_SEED=%llu\n", (unsigned long long)seed);
        rng_init(&outside, seed, "outside");
        live_run(path, &err);
        uint64_t fingerprint = sim_fingerprint(&rig.sim);
        live = uplink_counters(uplink);
        n_live = talker->n_seen;
        memcpy(seen_live, talker->seen, sizeof(seen_live));
        assert_true(recording_close(rig.sim.recording, rig.sim.now, &err));
        rig.sim.recording = NULL;
        uv_close((uv_handle_t *)&turn, NULL);
        finish();

        rig_init(&rig, &(struct sim_options){.seed = 1, .max_window = round % 3 * NS_PER_US});
        rig.sim.playback = playback_open(path, &err);
        vlan = vlan_create(&rig.sim, "lan", VLAN_SWITCH);
        talker = rig_talker(&rig, vlan);
        uplink = uplink_stand_in(&rig.sim, "up", UPLINK_NO_PORT);
        uplink_attach(uplink, vlan, &vlan->link);
        chatter();
        assert_int_equal(sim_run(&rig.sim, VTIME_NEVER), SIM_STOPPED);
        again = uplink_counters(uplink);
        assert_int_equal(talker->n_seen, n_live);
        assert_memory_equal(talker->seen, seen_live, sizeof(seen_live));
        assert_memory_equal(&again, &live, sizeof(live));
        assert_int_equal(sim_fingerprint(&rig.sim), fingerprint);
        assert_true(playback_close(rig.sim.playback, &err));
        finish();
    }
    unlink(path);
    assert_int_equal(err.n, 0);
}

static void an_answer_is_played_instead_of_asked(void **state)
{
    char path[] = "/tmp/lanarium-recording-XXXXXX";
    struct err err = {0};
    (void)state;

    close(mkstemp(path));
    start(UPLINK_UP);
    rig.sim.recording = recording_create(path, "", &err);
    char *live = uplink_answer(uplink, xstrdup("port 40123"));
    assert_string_equal(live, "port 40123");
    free(live);
    assert_true(recording_close(rig.sim.recording, 0, &err));
    finish();

    start(UPLINK_UP);
    rig.sim.playback = playback_open(path, &err);
    sim_run(&rig.sim, NS_PER_MS);
    char *played = uplink_answer(uplink, xstrdup("port 1"));
    assert_string_equal(played, "port 40123");
    free(played);
    assert_null(uplink_answer(uplink, NULL));
    playback_close(rig.sim.playback, &err);
    finish();
    unlink(path);
    err_finish(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_enters_at_the_barrier_after_it_came),
        cmocka_unit_test(frames_wait_for_room_on_the_line_and_none_is_lost),
        cmocka_unit_test(what_could_not_be_a_frame_is_refused_and_counted),
        cmocka_unit_test(a_frame_that_the_host_did_not_take_is_kept_for_it),
        cmocka_unit_test(without_carrier_frames_are_dropped_and_counted),
        cmocka_unit_test(a_peer_that_comes_while_the_link_is_off_finds_it_off),
        cmocka_unit_test(the_counters_of_peers_that_left_still_add_up),
        cmocka_unit_test(what_a_peer_sent_before_it_left_arrives),
        cmocka_unit_test(a_recording_plays_to_the_same_nanosecond),
        cmocka_unit_test(whatever_the_outside_does_replays_to_the_same_state),
        cmocka_unit_test(an_answer_is_played_instead_of_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
