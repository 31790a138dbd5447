/* Patches: what enters at one end leaves at the other, when, and what may be lost on the way. */
#include "tests/sim/rig.h"

#include "devices/patch.h"
#include "sim/offload.h"

static struct rig rig;
static struct vlan *vlans[3];
static struct talker *left, *right, *far;
static struct patch *patches[2];

static struct patch *patch(const char *name, unsigned a, unsigned b, struct link link)
{
    return patch_create(&rig.sim, name, (struct vlan *const[]){vlans[a], vlans[b]},
                        (const struct link[]){link, link});
}

/* left - a = patch = b - right, and further to c - far. */
static void start(const struct sim_options *o, struct link link)
{
    rig_init(&rig, o);
    vlans[0] = vlan_create(&rig.sim, "a", VLAN_SWITCH);
    vlans[1] = vlan_create(&rig.sim, "b", VLAN_HUB);
    vlans[2] = vlan_create(&rig.sim, "c", VLAN_SWITCH);
    left = rig_talker(&rig, vlans[0]);
    right = rig_talker(&rig, vlans[1]);
    far = rig_talker(&rig, vlans[2]);
    patches[0] = patch("p", 0, 1, link);
    patches[1] = patch("q", 1, 2, link);
}

static void finish(void)
{
    patch_destroy(patches[0]);
    patch_destroy(patches[1]);
    patch_destroy(NULL);
    rig_finish(&rig);
}

static const struct link quick = {1000, 0, 100000};
#define HOP (10000 + 992)    /* a talker's link: 10 us, and 124 bytes at 1 Gbit/s */
#define PATCH_HOP (2 * 1000) /* in and out */

static void a_frame_leaves_at_the_other_end_after_both_links(void **state)
{
    (void)state;
    start(NULL, quick);
    rig_send_at(left, 5000, 2, 100, 7);
    rig_send_at(right, NS_PER_MS, 1, 100, 8);
    sim_run(&rig.sim, NS_PER_SEC);
    assert_int_equal(right->n_seen, 1);
    assert_int_equal(right->seen[0].mark, 7);
    assert_int_equal(right->seen[0].at, 5000 + HOP + PATCH_HOP + HOP);
    assert_int_equal(left->n_seen, 1);
    assert_int_equal(left->seen[0].at, NS_PER_MS + HOP + PATCH_HOP + HOP);
    assert_int_equal(patches[0]->ends[0].stats.rx_frames, 1);
    assert_int_equal(patches[0]->ends[1].stats.tx_frames, 1);
    assert_string_equal(patches[0]->ends[0].name, "p.a");
    finish();
}

static void a_broadcast_reaches_all_by_patches_in_a_row_and_comes_back_to_none(void **state)
{
    (void)state;
    start(NULL, quick);
    rig_send_at(left, 0, 0xff, 100, 1);
    sim_run(&rig.sim, NS_PER_SEC);
    assert_int_equal(left->n_seen, 0);
    assert_int_equal(right->n_seen, 1);
    assert_int_equal(far->n_seen, 1);
    assert_int_equal(far->seen[0].at, HOP + 2 * PATCH_HOP + HOP);
    finish();
}

static struct frame *request;

static void keep(struct talker *t, struct frame *f)
{
    (void)t;
    if (!request) /* another follows */
        request = frame_ref(f);
}

static void an_offload_request_passes_as_it_is(void **state)
{
    struct frame *f = frame_new(3000);
    (void)state;
    start(NULL, quick);
    right->on_rx = keep;
    memset(f->data, 0, 3000);
    memset(f->data, 0xff, ETH_ALEN);
    f->len = 3000;
    f->offload = (struct frame_offload){
        .gso = FRAME_GSO_TCPV4, .needs_csum = true, .gso_size = 1448, .hdr_len = 66};
    left->actor.now = rig.sim.now;
    port_send(&left->port, frame_ref(f));
    rig_send_at(left, 0, 3, 60, 0);
    sim_run(&rig.sim, NS_PER_SEC);
    assert_ptr_equal(request, f); /* the same bytes, not a copy */
    assert_false(frame_is_finished(request));
    frame_unref(request);
    frame_unref(f);
    finish();
}

static void what_a_slow_link_cannot_take_is_dropped_and_counted(void **state)
{
    struct link slow = {1000, 1000000, 2000};
    const struct port_stats *in;
    (void)state;
    start(NULL, slow);
    for (unsigned i = 0; i < 100; i++)
        rig_send_at(left, i * 2000, 2, 500, (uint8_t)i);
    sim_run(&rig.sim, NS_PER_SEC);
    in = &patches[0]->ends[0].stats;
    assert_true(right->n_seen > 1 && right->n_seen < 10);
    assert_int_equal(in->rx_frames + in->drops[DROP_QUEUE_IN], 100);
    assert_int_equal(right->n_seen + patches[0]->ends[1].stats.drops[DROP_QUEUE_OUT],
                     in->rx_frames);
    for (unsigned i = 0; i < right->n_seen; i++)
        assert_int_equal(right->seen[i].mark, i);
    finish();
}

static void pulled_out_nothing_passes_until_it_is_back(void **state)
{
    (void)state;
    start(NULL, quick);
    patch_set_up(patches[0], false);
    rig_send_at(left, 0, 2, 100, 1);
    sim_run(&rig.sim, NS_PER_MS);
    assert_int_equal(right->n_seen, 0);
    patch_set_up(patches[0], true);
    rig_send_at(left, 2 * NS_PER_MS, 2, 100, 2);
    sim_run(&rig.sim, NS_PER_SEC);
    assert_int_equal(right->n_seen, 1);
    assert_int_equal(right->seen[0].mark, 2);
    finish();
}

static void the_result_does_not_depend_on_threads_and_windows(void **state)
{
    static const struct sim_options options[] = {
        {.seed = 1, .threads = 1},
        {.seed = 1, .threads = 4, .eager = true},
        {.seed = 1, .threads = 1, .max_window = 1000},
    };
    static struct rig_seen seen[RIG_MAX_SEEN];
    uint64_t print = 0;
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(options); i++) {
        start(&options[i], quick);
        for (unsigned k = 0; k < 200; k++) {
            rig_send_at(left, k * 777, 3, 60 + k, (uint8_t)k);
            rig_send_at(right, k * 776, k % 2 ? 0xff : 1, 60 + k, (uint8_t)k);
            rig_send_at(far, k * 775, 1, 60 + k, (uint8_t)k);
        }
        sim_run(&rig.sim, 10 * NS_PER_MS);
        if (i) {
            assert_memory_equal(seen, left->seen, sizeof(seen));
            assert_int_equal(print, sim_fingerprint(&rig.sim));
        }
        memcpy(seen, left->seen, sizeof(seen));
        print = sim_fingerprint(&rig.sim);
        assert_true(left->n_seen > 300);
        finish();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_leaves_at_the_other_end_after_both_links),
        cmocka_unit_test(a_broadcast_reaches_all_by_patches_in_a_row_and_comes_back_to_none),
        cmocka_unit_test(an_offload_request_passes_as_it_is),
        cmocka_unit_test(what_a_slow_link_cannot_take_is_dropped_and_counted),
        cmocka_unit_test(pulled_out_nothing_passes_until_it_is_back),
        cmocka_unit_test(the_result_does_not_depend_on_threads_and_windows),
    };
    return cmocka_run_group_tests_name("patch", tests, NULL, NULL);
}
