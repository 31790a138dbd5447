/* The tulip receives: buffers, filters, and what loops back. */
#include "tulip_rig.h"

#include <zlib.h>

/* --- receiving --- */

static void a_frame_fills_the_next_buffer_with_its_crc(void **state)
{
    uint8_t copy[200];
    (void)state;

    put(7, NIS | RI);
    card_receive(own, 200);
    assert_int_equal(status(rx_ring, 0), 204u << 16 | WHOLE);
    memcpy(copy, at(buffers), 200);
    assert_int_equal(load_le32(at(buffers) + 200), crc32(0, copy, 200));
    assert_int_equal(csr(5) & (ALL | 7 << 17), RI | NIS | RX_WAITS);
    assert_true(rig.line[CARD_LINE]);
    card_receive(everyone, 60);
    assert_int_equal(status(rx_ring, 1), 64u << 16 | WHOLE | MF);
    card_receive(own, 1514);
    assert_int_equal(status(rx_ring, 2), 1518u << 16 | WHOLE);
    card_receive(own, 1518); /* with a tag, it may be: told as too long all the same */
    assert_int_equal(status(rx_ring, 3), 1522u << 16 | WHOLE | TL | ES);
    rx_give(0);
    put(2, 1);
    struct frame *f = frame_new(60);
    f->len = 60;
    card_fill(f->data, 60, own);
    store_be16(f->data + 12, 46);
    rig_receive(&rig, &nic->port, f);
    wait_ns(20000);
    frame_unref(f);
    assert_int_equal(status(rx_ring, 0), 64u << 16 | FIRST | LAST); /* a length, not a type */
}

static void a_long_frame_takes_as_many_buffers_as_it_needs(void **state)
{
    (void)state;

    memset(at(buffers), 0x77, 4 * BUFFER);
    give_at(rx_ring, 100 | 200 << 11, buffers, buffers + 512);
    give_at(rx_ring + 16, 0, buffers, buffers); /* of nothing */
    give_at(rx_ring + 32, 0 | 300 << 11, BAD, buffers + 1024);
    card_receive(own, 596); /* with the CRC it is just full (CVE-2015-7504) */
    assert_int_equal(status(rx_ring, 0), FIRST);
    assert_int_equal(status(rx_ring, 1), 0);
    assert_int_equal(status(rx_ring, 2), 600u << 16 | LAST | FT);
    assert_int_equal(status(rx_ring, 3), OWN);
    assert_int_equal(at(buffers)[99], 99);
    assert_int_equal(at(buffers)[100], 0x77);
    assert_int_equal(at(buffers + 512)[0], 100);
    assert_int_equal(at(buffers + 1024)[0], (uint8_t)300);
    assert_int_equal(at(buffers + 1024)[300], 0x77);
}

static void what_does_not_fit_is_a_descriptor_error(void **state)
{
    (void)state;

    give(rx_ring, 0, 64, buffers);
    word_put(rx_ring + 16, 0);
    memset(at(buffers), 0x77, 128);
    card_receive(own, 100);
    assert_int_equal(status(rx_ring, 0), 104u << 16 | WHOLE | DE | ES);
    assert_int_equal(at(buffers)[63], 63);
    assert_int_equal(at(buffers)[64], 0x77);
    assert_int_equal(csr(5) & (RI | RU | 7 << 17), RI | RU | RX_SUSPENDED);
}

static void lists_that_loop_end(void **state)
{
    (void)state;

    put(6, ST);
    give_at(rx_ring, CHAINED | 16, buffers, rx_ring); /* itself */
    put(3, rx_ring);
    put(6, ST | SR);
    card_receive(own, 100);
    assert_int_equal(status(rx_ring, 0), 104u << 16 | WHOLE | DE | ES);
    put(6, ST);
    for (uint32_t i = 0; i < 4000; i++) /* descriptors without room, and without end */
        give_at(payload + i % 1000 * 16, i % 1000 == 999 ? RING_END : 0, buffers, 0);
    put(3, payload);
    put(6, ST | SR);
    card_receive(own, 100);
    assert_int_equal(word(payload), FIRST);
    assert_int_equal(word(payload + 255 * 16), 104u << 16 | LAST | FT | DE | ES);
    assert_int_equal(word(payload + 256 * 16), OWN);
    put(6, ST);
    give_at(rx_ring, CHAINED | 64, rx_ring + 16, rx_ring + 16); /* what is stored undoes the next */
    rx_give(1);
    put(3, rx_ring);
    put(6, ST | SR);
    card_receive(own, 600);
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 1);
}

static void without_buffers_a_frame_waits_and_is_then_missed(void **state)
{
    (void)state;

    for (unsigned i = 0; i < N; i++)
        card_receive(own, 100 + i);
    assert_int_equal(csr(5) & (RU | 7 << 17), RU | RX_SUSPENDED); /* before another comes */
    ack();
    card_receive(own, 100 + N);
    assert_false(csr(5) & RU); /* told once */
    rx_give(0);
    wait_ns(10 * NS_PER_MS);
    assert_int_equal(status(rx_ring, 0) >> 16, 104 + N); /* found by looking */
    assert_true(csr(5) & RU);
    card_receive(own, 200);
    rx_give(1);
    put(2, 1);
    wait_ns(0);
    assert_int_equal(status(rx_ring, 1) >> 16, 204); /* on demand */
    assert_int_equal(csr(8), 0xe0000000);
    card_receive(own, 300);
    card_receive(own, 301);
    wait_ns(100 * NS_PER_MS);
    assert_int_equal(csr(8), 0xe0000002);
    assert_int_equal(csr(8), 0xe0000000); /* cleared by reading */
    rx_give(2);
    put(2, 1);
    card_receive(own, 400);
    assert_int_equal(status(rx_ring, 2) >> 16, 404);
    assert_int_equal(csr(2), 0xffffffff);
}

static void the_counter_of_missed_frames_overflows(void **state)
{
    (void)state;

    for (uint32_t i = 0; i < N; i++)
        card_receive(own, 60);
    for (uint32_t i = 0; i < 0x10002; i++) {
        card_receive(own, 60);
        if (i % 1000 == 999)
            wait_ns(100 * NS_PER_SEC);
    }
    wait_ns(100 * NS_PER_SEC);
    assert_int_equal(csr(8), 0xe0010002);
    assert_int_equal(csr(8), 0xe0000000);
}

static void a_process_that_was_stopped_takes_nothing(void **state)
{
    (void)state;

    put(6, ST);
    assert_int_equal(csr(5) & (ALL | 7 << 17), RPS);
    ack();
    put(6, ST);
    card_receive(own, 100);
    put(2, 1);
    assert_int_equal(status(rx_ring, 0), OWN);
    assert_int_equal(csr(5) & ALL, 0);
    put(6, ST | SR);
    card_receive(own, 100);
    card_receive(own, 100);
    put(6, ST);
    put(6, ST | SR); /* it goes on where it was */
    card_receive(own, 200);
    assert_int_equal(status(rx_ring, 2) >> 16, 204);
    word_put(rx_ring + 48, 0);
    put(6, ST);
    ack();
    put(6, ST | SR); /* an empty list */
    assert_int_equal(csr(5) & (RU | 7 << 17), RU | RX_SUSPENDED);
    card_receive(own, 300);
    put(6, ST); /* with a frame that waits */
    wait_ns(NS_PER_MS);
    rx_give(3);
    put(6, ST | SR);
    card_receive(own, 400);
    assert_int_equal(status(rx_ring, 3) >> 16, 404);
}

static void the_watchdog_cuts_frames(void **state)
{
    (void)state;

    card_receive(own, 2556);
    assert_int_equal(status(rx_ring, 1), 2560u << 16 | LAST | FT | TL | ES);
    assert_false(csr(5) & RWT);
    card_receive(own, 9000); /* CVE-2015-7512 */
    assert_int_equal(status(rx_ring, 3), 2560u << 16 | LAST | FT | TL | RW | ES);
    assert_true(csr(5) & RWT);
    for (uint32_t i = 0; i < N; i++)
        rx_give(i);
    put(15, 0x10); /* RWD */
    put(2, 1);
    ack();
    card_receive(own, 4000);
    assert_int_equal(status(rx_ring, 2), 4004u << 16 | LAST | FT | TL | ES);
    assert_false(csr(5) & RWT);
    card_receive(own, 4097);
    assert_int_equal(status(rx_ring, 3), OWN);
}

/* What is told to the driver is the frame's, not what was in the card before. */
static void or_within_the_crc(void **state)
{
    uint8_t sent[2557], crc[4];
    (void)state;

    card_receive(own, 3000);
    card_fill(sent, sizeof(sent), own);
    store_le32(crc, (uint32_t)crc32(0, sent, sizeof(sent)));
    for (uint32_t len = 2557; len < 2560; len++) {
        start(0, 0);
        card_receive(own, len);
        assert_int_equal(status(rx_ring, 1), 2560u << 16 | LAST | FT | TL | RW | ES);
        assert_memory_equal(at(buffers), sent, sizeof(sent));
        if (len == 2557)
            assert_memory_equal(at(buffers) + 2557, crc, 3);
    }
}

/* --- filters --- */

/* Whether a frame is let in; *told: its status. */
static bool lets_in(const uint8_t *to, uint32_t *told)
{
    uint32_t i;

    for (i = 0; i < N; i++)
        rx_give(i);
    put(2, 1);
    card_receive(to, 100);
    for (i = 0; i < N && (status(rx_ring, i) & OWN); i++)
        ;
    if (i == N)
        return false;
    *told = status(rx_ring, i);
    return true;
}

static bool takes(const uint8_t *to)
{
    uint32_t told;

    return lets_in(to, &told) && !(told & FF) && !(told & MF) == !(to[0] & 1);
}

static bool fails_filter(const uint8_t *to)
{
    uint32_t told;

    return lets_in(to, &told) && (told & FF);
}

static void sixteen_addresses_are_let_in(void **state)
{
    uint8_t mac[ETH_ALEN];
    (void)state;

    for (unsigned i = 0; i < 16; i++) {
        memcpy(mac, own, ETH_ALEN);
        mac[i % ETH_ALEN] ^= (uint8_t)(i * 2 + 2);
        setup_entry(i * 12, mac);
    }
    setup_send(0);
    for (unsigned i = 0; i < 16; i++) {
        memcpy(mac, own, ETH_ALEN);
        mac[i % ETH_ALEN] ^= (uint8_t)(i * 2 + 2);
        assert_true(takes(mac));
    }
    assert_false(takes(own));
    assert_false(takes(everyone)); /* which is a group like any other */
    assert_false(takes(group));
    setup_perfect(own, group, 0);
    assert_true(takes(own));
    assert_true(takes(group));
    assert_false(takes(everyone));
}

static void or_all_but_sixteen(void **state)
{
    (void)state;

    setup_perfect(own, group, INVERSE);
    assert_false(takes(own));
    assert_false(takes(group));
    assert_true(takes(everyone));
    assert_true(takes(stranger));
}

static void hash_put(const uint8_t *mac)
{
    uint32_t bit = ~(uint32_t)crc32(0, mac, ETH_ALEN) & 511;

    at(setup_at)[bit / 16 * 4 + bit % 16 / 8] |= (uint8_t)(1u << bit % 8);
}

static void groups_may_be_hashed_and_all_may_be(void **state)
{
    (void)state;

    memset(at(setup_at), 0, 192);
    hash_put(group);
    hash_put(stranger);
    setup_entry(156, own);
    setup_send(HASH);
    assert_true(takes(group));
    assert_true(takes(own));
    assert_false(takes(stranger));
    assert_false(takes(everyone));
    setup_send(HASH_ONLY);
    assert_true(takes(group));
    assert_true(takes(stranger));
    assert_false(takes(own));
    assert_false(takes(everyone));
}

/* 255, as drivers have it. */
static void everyone_is_a_known_bit_of_the_hash(void **state)
{
    (void)state;

    memset(at(setup_at), 0, 192);
    at(setup_at)[255 / 16 * 4 + 1] = 0x80;
    setup_send(HASH);
    assert_true(takes(everyone));
}

static void modes_let_in_what_the_filter_does_not(void **state)
{
    (void)state;

    put(6, ST | SR | PM);
    assert_true(takes(group));
    assert_true(takes(own));
    assert_false(takes(stranger));
    put(6, ST | SR | PR);
    assert_true(takes(stranger)); /* FF is RA's alone */
    assert_true(takes(group));
    assert_true(takes(own));
    put(6, ST | SR | RA);
    assert_true(fails_filter(stranger));
    assert_true(fails_filter(group));
    assert_true(takes(everyone));
    put(6, ST | SR);
    assert_false(fails_filter(stranger));
}

/* --- loopback --- */

static void what_loops_back_comes_later_and_alone(void **state)
{
    static const uint32_t modes[][2] = {{INTERNAL, 1 << 12}, {EXTERNAL, 2 << 12}, {PS, 2 << 12}};
    (void)state;

    for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
        start(0, modes[i][0]);
        if (modes[i][0] == PS)
            mii_put(1, 0, 0x4000); /* the PHY's own */
        card_fill(at(payload), 200, own);
        send_part(FS | LS | IC | 200, payload);
        demand();
        assert_int_equal(rig_sent(&rig), 0);
        assert_int_equal(status(rx_ring, 0),
                         OWN); /* not within the driver's write (CVE-2021-20257) */
        wait_ns(NS_PER_MS);
        assert_int_equal(status(rx_ring, 0), 204u << 16 | WHOLE | modes[i][1]);
        assert_int_equal(csr(5) & (TI | RI), TI | RI);
        card_receive(own, 100);
        assert_int_equal(status(rx_ring, 1), OWN);
        send_frame(100); /* the filter stays */
        wait_ns(NS_PER_MS);
        assert_int_equal(status(rx_ring, 1), OWN);
        assert_int_equal(rig_sent(&rig), 0);
    }
    for (unsigned i = 0; i < 400; i++) { /* more than it keeps */
        card_fill(at(payload), 200, own);
        send_part(FS | LS | 200, payload);
        demand();
    }
    assert_in_range(frame_alive(), 1, 260);
    assert_int_equal(frame_alive() + nic->port.stats.drops[DROP_HELD], 400);
}

static void a_phy_loops_what_comes_to_it(void **state)
{
    static const uint32_t ports[] = {0, PS | PCS}; /* the chip's own */
    (void)state;

    mii_put(1, 0, 0x4000);
    for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
        start(0, ports[i]);
        send_frame(100);
        assert_int_equal(rig_sent(&rig), i + 1);
        card_receive(own, 100);
        assert_int_equal(status(rx_ring, 0), 104u << 16 | WHOLE);
    }
    start(0, PS);
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_frame_fills_the_next_buffer_with_its_crc),
        T(a_long_frame_takes_as_many_buffers_as_it_needs),
        T(what_does_not_fit_is_a_descriptor_error),
        T(lists_that_loop_end),
        T(without_buffers_a_frame_waits_and_is_then_missed),
        T(the_counter_of_missed_frames_overflows),
        T(a_process_that_was_stopped_takes_nothing),
        T(the_watchdog_cuts_frames),
        T(or_within_the_crc),
        T(sixteen_addresses_are_let_in),
        T(or_all_but_sixteen),
        T(groups_may_be_hashed_and_all_may_be),
        T(everyone_is_a_known_bit_of_the_hash),
        T(modes_let_in_what_the_filter_does_not),
        T(what_loops_back_comes_later_and_alone),
        T(a_phy_loops_what_comes_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
