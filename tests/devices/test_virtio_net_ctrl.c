/* virtio-net: the control queue and the receive filter. */
#include "net_rig.h"

#define FILTERS                                                                                    \
    (VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_RX_EXTRA |                    \
     VIRTIO_NET_F_CTRL_VLAN | VIRTIO_NET_F_CTRL_MAC_ADDR)

/* Whether a frame to an address passes the filter. */
static bool passes(const uint8_t *to)
{
    struct frame *f = frame_new(60);
    bool wanted;

    f->len = 60;
    fill(f->data, f->len, to);
    wanted = virtio_net_wants(net(), f);
    frame_unref(f);
    return wanted;
}

/* --- the control queue --- */

static uint8_t control(const uint8_t *data, uint32_t len)
{
    uint64_t out = rig_alloc(&rig, 4096), in = rig_alloc(&rig, 1);

    memcpy(rig_at(&rig, out), data, len);
    *rig_at(&rig, in) = 0xee;
    driver_add(&drv, CTRL, (struct buf[]){{out, len, 0}, {in, 1, DESC_WRITE}}, 2);
    driver_kick(&drv, CTRL);
    return *rig_at(&rig, in);
}

static void modes_and_lists_decide_what_is_received(void **state)
{
    static const uint8_t other[] = {0x52, 0x54, 0, 9, 9, 9}, group[] = {1, 0, 0x5e, 0, 0, 1},
                         all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t table[] = {1, 0, 1, 0, 0, 0, 0x52, 0x54, 0, 9, 9, 9,
                                    1, 0, 0, 0, 1, 0, 0x5e, 0, 0, 1};
    uint32_t generation;
    (void)state;
    start(FILTERS);
    assert_true(passes(other)); /* promiscuous until told otherwise */
    assert_int_equal(control((uint8_t[]){0, 0, 0}, 3), 0);
    assert_false(passes(other));
    assert_false(passes(group));
    assert_true(passes(own));
    assert_true(passes(all));
    assert_int_equal(control(table, sizeof table), 0);
    assert_true(passes(other));
    assert_true(passes(group));
    assert_int_equal(control((uint8_t[]){0, 3, 1}, 3), 0); /* nomulti */
    assert_false(passes(group));
    assert_int_equal(control((uint8_t[]){0, 4, 1}, 3), 0); /* nouni */
    assert_false(passes(own));
    assert_int_equal(control((uint8_t[]){0, 5, 1}, 3), 0); /* nobcast */
    assert_false(passes(all));
    assert_int_equal(control((uint8_t[]){0, 4, 0}, 3), 0);
    generation = net()->virtio.generation;
    assert_int_equal(control((uint8_t[]){1, 1, 2, 0, 0, 0, 0, 7}, 8), 0); /* a new address */
    assert_true(passes((uint8_t[]){2, 0, 0, 0, 0, 7}));
    assert_false(passes(own));
    assert_int_equal(rig_read(&nic->dev, MM_CONFIG + 5, 1), 7);
    assert_int_not_equal(net()->virtio.generation, generation);
}

static void vlan_ids_are_filtered_once_negotiated(void **state)
{
    uint8_t tagged[64];
    struct frame *f;
    (void)state;
    start(FILTERS);
    control((uint8_t[]){0, 0, 0}, 3);
    fill(tagged, sizeof tagged, own);
    store_be16(tagged + 12, 0x8100);
    store_be16(tagged + 14, 0x2000 | 100);
    f = frame_from(tagged, sizeof tagged);
    assert_false(virtio_net_wants(net(), f));
    rig_receive(&rig, &nic->port, f);
    assert_int_equal(net()->filtered, 1);
    assert_int_equal(control((uint8_t[]){2, 0, 100, 0}, 4), 0);
    assert_true(virtio_net_wants(net(), f));
    assert_int_equal(control((uint8_t[]){2, 1, 100, 0}, 4), 0);
    assert_false(virtio_net_wants(net(), f));
    assert_int_equal(control((uint8_t[]){2, 0, 0, 0x10}, 4), 1); /* 4096 */
    frame_unref(f);
}

/* A guest-triggered overrun of the MAC table or control queue (CVE-2014-0150). */
static void a_mac_table_that_lies_or_overflows_harms_nobody(void **state)
{
    uint8_t big[2 + 4 + 100 * 6 + 4] = {1, 0, 100};
    static const uint8_t other[] = {0x52, 0x54, 0, 9, 9, 9}, group[] = {1, 0, 0x5e, 0, 0, 1};
    (void)state;
    start(FILTERS);
    control((uint8_t[]){0, 0, 0}, 3);
    assert_int_equal(control(big, sizeof big), 0);
    assert_true(passes(other)); /* the list did not fit: all unicast is let in */
    assert_false(passes(group));
    assert_int_equal(control((uint8_t[]){1, 0, 255, 255, 255, 255, 1, 2}, 8), 1);
    assert_int_equal(control((uint8_t[]){1, 0, 1, 0, 0, 0, 1, 2, 3, 4, 5}, 11), 1);
    assert_int_equal(control((uint8_t[]){1, 0, 0, 0, 0, 0}, 6), 1); /* no second list */
    assert_int_equal(control((uint8_t[]){1, 0, 0, 0, 0}, 5), 1);
    assert_true(passes(other)); /* as before */
    assert_int_equal(control((uint8_t[]){1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 10), 0);
    assert_false(passes(other));
}

/* Queue index out of range and its like (CVE-2024-6505): unknown commands are refused. */
static void unknown_commands_and_wrong_lengths_are_refused(void **state)
{
    (void)state;
    start(FILTERS);
    for (unsigned class = 0; class < 8; class++)
        for (unsigned command = 0; command < 8; command++)
            assert_int_equal(control((uint8_t[]){(uint8_t)class, (uint8_t)command}, 2), 1);
    assert_int_equal(control((uint8_t[]){4, 0, 0xff, 0xff}, 4), 1);
    assert_int_equal(control((uint8_t[]){0, 0, 1, 1}, 4), 1);
}

static void a_control_chain_without_room_for_the_answer_stops_the_queue(void **state)
{
    (void)state;
    start(FILTERS);
    driver_add(&drv, CTRL, &(struct buf){rig_alloc(&rig, 8), 3, 0}, 1);
    driver_kick(&drv, CTRL);
    driver_expect_failed(&drv, CTRL);
    start(FILTERS);
    driver_add(&drv, CTRL, &(struct buf){rig_alloc(&rig, 8), 3, DESC_WRITE}, 1);
    driver_kick(&drv, CTRL);
    driver_expect_failed(&drv, CTRL);
}

static void receive_offloads_can_be_switched(void **state)
{
    uint64_t at;
    (void)state;
    start(FILTERS | ALL_OFFLOADS | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
    assert_int_equal(control((uint8_t[]){5, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 10), 0);
    at = give(2048);
    receive_tso(500, 0);
    assert_int_equal(*rig_at(&rig, at), 0);
    check_tcp_sum(rig_at(&rig, at + header()), 554);
    assert_int_equal(control((uint8_t[]){5, 0, 2, 0, 0, 0, 0, 0, 0, 0}, 10), 0);
    assert_int_equal(control((uint8_t[]){5, 0, 1, 0, 0, 0, 0, 0, 0, 0}, 10), 1); /* HOST's */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(modes_and_lists_decide_what_is_received),
        BOTH(vlan_ids_are_filtered_once_negotiated),
        BOTH(a_mac_table_that_lies_or_overflows_harms_nobody),
        BOTH(unknown_commands_and_wrong_lengths_are_refused),
        BOTH(a_control_chain_without_room_for_the_answer_stops_the_queue),
        BOTH(receive_offloads_can_be_switched),
    };

    return cmocka_run_group_tests_name("virtio-net control queue", tests, NULL, NULL);
}
