/* Which windows are shared out: the first one of a run, which goes by guesses that are constants.
 */
#include "rig.h"

#include <pthread.h>

#define MANY 24

/* A guest, or an uplink: something whose run belongs to the main thread. */
struct item {
    struct actor actor;
    struct event event;
    bool ran, here;
    pthread_t main;
};

static void item_fire(struct event *ev, vtime_t now)
{
    struct item *i = container_of(ev, struct item, event);

    (void)now;
    i->ran = true;
    i->here = pthread_equal(pthread_self(), i->main);
}

static const struct actor_ops guest = {.kind = "guest"};
static const struct actor_ops uplink = {.kind = "uplink", .main_thread = true};

/* One window of so many of each; whether it was shared out. */
static bool is_shared(const struct sim_options *o, unsigned guests, unsigned uplinks)
{
    struct item items[MANY];
    unsigned n = guests + uplinks;
    struct rig r;

    assert_true(n <= MANY);
    rig_init(&r, o);
    for (unsigned i = 0; i < n; i++) {
        items[i] = (struct item){.main = pthread_self()};
        actor_init(&items[i].actor, i < uplinks ? &uplink : &guest, &r.sim, "item");
        event_init(&items[i].actor.events, &items[i].event, item_fire);
        evq_arm(&items[i].actor.events, &items[i].event, 5000);
        actor_due_changed(&items[i].actor);
    }
    sim_run(&r.sim, NS_PER_MS);
    assert_int_equal(r.sim.stats.windows, 1);
    for (unsigned i = 0; i < n; i++) {
        assert_true(items[i].ran);
        assert_true(i >= uplinks || items[i].here);
        actor_finish(&items[i].actor);
    }
    bool shared = r.sim.stats.shared == 1;
    rig_finish(&r);
    return shared;
}

static void what_is_too_little_is_not_shared(void **state)
{
    static const struct sim_options two = {.seed = 1, .threads = 2},
                                    one = {.seed = 1, .threads = 1};
    (void)state;
    assert_false(is_shared(&two, 6, 0)); /* 2 us each: 12 us are some times what a barrier costs */
    assert_true(is_shared(&two, 7, 0));
    assert_false(is_shared(&one, MANY, 0));
}

static void uplinks_are_run_here_while_others_run_the_guests(void **state)
{
    static const struct sim_options two = {.seed = 1, .threads = 2};
    (void)state;
    assert_true(is_shared(&two, 2, 5));
    assert_false(is_shared(&two, 2, 4));
    assert_true(is_shared(&two, 6, 1));
}

/* Of one guest and the uplinks, the shorter part is what a second thread could take over. */
static void one_guest_is_shared_if_the_shorter_part_is_worth_it(void **state)
{
    static const struct sim_options two = {.seed = 1, .threads = 2};
    (void)state;
    assert_false(is_shared(&two, 1, 1));
    assert_false(is_shared(&two, 1, MANY - 1));
}

static void uplinks_alone_are_never_shared(void **state)
{
    static const struct sim_options two = {.seed = 1, .threads = 2},
                                    eager = {.seed = 1, .threads = 4, .eager = true};
    (void)state;
    assert_false(is_shared(&two, 0, MANY));
    assert_false(is_shared(&eager, 0, MANY));
}

static void eager_shares_the_least_that_can_be(void **state)
{
    static const struct sim_options eager = {.seed = 1, .threads = 4, .eager = true},
                                    one = {.seed = 1, .threads = 1, .eager = true};
    (void)state;
    assert_true(is_shared(&eager, 1, 1));
    assert_true(is_shared(&eager, 2, 0));
    assert_false(is_shared(&eager, 1, 0));
    assert_false(is_shared(&one, 2, 2));
}

/* So many frames on their way to each of some VLANs, all there at once; how often VLANs were
 * shared. */
static uint64_t vlans_shared(unsigned vlans, unsigned frames)
{
    struct rig r;

    rig_init(&r, &(struct sim_options){.seed = 1, .threads = 2});
    for (unsigned i = 0; i < vlans; i++) {
        struct vlan *v = vlan_create(&r.sim, "v", VLAN_HUB);
        v->link.rate_bps = 0;
        struct talker *t = rig_talker(&r, v);
        for (unsigned k = 0; k < frames; k++)
            rig_send_at(t, 5000, 0xff, 60, (uint8_t)k);
    }
    sim_run(&r.sim, NS_PER_MS);
    uint64_t n = r.sim.stats.vlans_shared;
    rig_finish(&r);
    return n;
}

static void vlans_are_shared_by_the_frames_on_their_way(void **state)
{
    (void)state;
    assert_int_equal(vlans_shared(2, 20), 0); /* 300 ns each */
    assert_int_equal(vlans_shared(2, 21), 1);
    assert_int_equal(vlans_shared(1, 200), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_too_little_is_not_shared),
        cmocka_unit_test(uplinks_are_run_here_while_others_run_the_guests),
        cmocka_unit_test(one_guest_is_shared_if_the_shorter_part_is_worth_it),
        cmocka_unit_test(uplinks_alone_are_never_shared),
        cmocka_unit_test(eager_shares_the_least_that_can_be),
        cmocka_unit_test(vlans_are_shared_by_the_frames_on_their_way),
    };
    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
