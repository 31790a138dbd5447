/* The tulip sends: lists in rings and chains of either byte order, setup frames, and misuse. */
#include "tulip_rig.h"

#include <zlib.h>

/* --- sending --- */

static void a_descriptor_is_a_frame(void **state)
{
    (void)state;

    put(7, NIS | TI);
    send_frame(200);
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 200);
    assert_memory_equal(rig_frame(&rig, 0)->data, at(payload), 200);
    assert_int_equal(status(tx_ring, 1), 0);
    assert_int_equal(csr(5) & (ALL | STATES), TI | TU | NIS | TX_SUSPENDED | RX_WAITS);
    assert_true(rig.line[CARD_LINE]);
    ack();
    send_part(FS | LS | 200, payload); /* without IC */
    demand();
    assert_int_equal(rig_sent(&rig), 2);
    assert_int_equal(csr(5) & ALL, TU);
    send_part(FS | LS | IC | 10, payload); /* what is short is padded */
    demand();
    assert_int_equal(nic->port.stats.drops[DROP_RUNT], 1);
    send_part(FS | LS | IC | 20, payload);
    demand();
    assert_int_equal(rig_frame(&rig, 2)->len, 60);
}

static void a_demand_for_nothing_is_told_once(void **state)
{
    (void)state;

    send_frame(100);
    assert_true(csr(5) & TU);
    ack();
    demand();
    assert_false(csr(5) & TU);
    send_frame(100);
    assert_true(csr(5) & TU);
}

static void the_ring_goes_round(void **state)
{
    (void)state;

    for (unsigned i = 0; i < 3 * N; i++)
        send_frame(100 + i);
    assert_int_equal(rig_sent(&rig), 3 * N);
    assert_int_equal(rig_frame(&rig, 3 * N - 1)->len, 100 + 3 * N - 1);
    rig_forget(&rig);
    for (unsigned i = 0; i < N; i++) /* all of it at once */
        send_part(FS | LS | 100, payload);
    demand();
    assert_int_equal(rig_sent(&rig), N);
}

static void a_packet_may_be_in_several_descriptors_of_two_buffers(void **state)
{
    uint64_t warned;
    (void)state;

    card_fill(at(payload), 600, stranger);
    give_at(tx_ring + 16, FS | 5 | 15 << 11, payload, payload + 5);
    give_at(tx_ring + 32, 0, payload, payload); /* of nothing */
    give_at(tx_ring + 48, RING_END | LS | IC | 0 | 580 << 11, BAD, payload + 20);
    demand();
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(rig_frame(&rig, 0)->len, 600);
    assert_memory_equal(rig_frame(&rig, 0)->data, at(payload), 600);
    assert_int_equal(status(tx_ring, 1), 0);
    assert_int_equal(status(tx_ring, 3), 0);
    tx_next = 0;
    warned = device_warnings;
    send_part(LS | 100, payload); /* with no beginning */
    send_part(FS | 50, payload);  /* with no end */
    send_part(FS | LS | 100, payload);
    demand();
    assert_int_equal(device_warnings, warned + 2);
    assert_int_equal(rig_sent(&rig), 2);
    assert_int_equal(rig_frame(&rig, 1)->len, 100);
    ack();
    send_part(FS | IC | 50, payload); /* whose end comes later */
    demand();
    assert_false(csr(5) & TI);
    send_part(LS | IC | 50, payload + 50);
    demand();
    assert_int_equal(rig_sent(&rig), 3);
    assert_int_equal(rig_frame(&rig, 2)->len, 100);
}

static void lists_may_be_chains(void **state)
{
    uint32_t a = payload + 8192, b = payload + 8192 + 100, c = payload + 8192 + 200;
    (void)state;

    put(6, SR);
    give_at(a, CHAINED | FS | LS | 100 | 50 << 11, payload, b + 3); /* no second buffer; aligned */
    give_at(b, CHAINED | FS | LS | 101, payload, c);
    give_at(c, CHAINED | RING_END | FS | LS | 102, payload, BAD); /* the end of a ring wins */
    put(4, a);
    put(6, SR | ST);
    assert_int_equal(rig_sent(&rig), 3);
    assert_int_equal(rig_frame(&rig, 0)->len, 100);
    assert_int_equal(rig_frame(&rig, 2)->len, 102);
    give_at(a, CHAINED | FS | LS | 103, payload, a); /* itself */
    demand();
    assert_int_equal(rig_sent(&rig), 4);
    assert_int_equal(csr(5) & (7 << 20), TX_SUSPENDED);
}

static void longwords_may_be_skipped(void **state)
{
    (void)state;

    start(31 << 2, 0);
    send_frame(100);
    send_frame(101);
    send_frame(102);
    send_frame(103); /* at the start again */
    card_receive(own, 100);
    card_receive(own, 101);
    assert_int_equal(rig_sent(&rig), 4);
    assert_int_equal(status(rx_ring, 1) >> 16, 105);
}

static void descriptors_may_be_big_endian(void **state)
{
    (void)state;

    start(DBO, 0);
    send_frame(300);
    card_receive(own, 100);
    assert_int_equal(rig_frame(&rig, 0)->len, 300);
    assert_memory_equal(rig_frame(&rig, 0)->data, at(payload), 300);
    assert_int_equal(load_be32(at(tx_ring + 16)), 0);
    assert_int_equal(load_be32(at(rx_ring)), 104u << 16 | WHOLE);
    assert_int_equal(at(buffers)[50], 50);
}

/* The same bytes, turned round in each longword. */
static void turn(uint32_t addr, uint32_t len)
{
    for (uint32_t i = 0; i < len; i += 4)
        store_be32(at(addr + i), load_le32(at(addr + i)));
}

static void buffers_may_be_big_endian(void **state)
{
    uint8_t sent[303];
    (void)state;

    start(BLE, PR);
    card_fill(at(payload + 1), 303, stranger);
    memcpy(sent, at(payload + 1), sizeof(sent));
    turn(payload, 304);
    send_part(FS | LS | 303, payload + 1);
    demand();
    assert_int_equal(rig_frame(&rig, 0)->len, 303);
    assert_memory_equal(rig_frame(&rig, 0)->data, sent, 303);
    memset(at(buffers), 0x77, 256);
    card_receive(own, 102);
    assert_int_equal(status(rx_ring, 0) >> 16, 106);
    turn(buffers, 112);
    assert_memory_equal(at(buffers), own, ETH_ALEN);
    assert_int_equal(at(buffers)[101], 101);
    assert_int_equal(at(buffers)[106], 0x77);
    setup_entry(0, own);
    turn(setup_at, 192);
    setup_send(0); /* so is this */
    card_receive(own, 100);
    assert_int_equal(status(rx_ring, 1), 104u << 16 | WHOLE);
}

static void a_driver_may_send_its_own_crc(void **state)
{
    (void)state;

    card_fill(at(payload), 100, stranger);
    store_le32(at(payload) + 100, (uint32_t)crc32(0, at(payload), 100));
    send_part(FS | AC | LS | 104, payload);
    demand();
    assert_int_equal(rig_frame(&rig, 0)->len, 100);
    at(payload)[50] ^= 1;
    send_part(FS | AC | LS | 104, payload);
    demand();
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(nic->port.stats.drops[DROP_MALFORMED], 1);
    send_part(FS | 52, payload);
    send_part(AC | LS | 52, payload + 52); /* the first says it */
    demand();
    assert_int_equal(rig_frame(&rig, 1)->len, 104);
    send_part(FS | AC | LS | 50, payload); /* padded, and so with a CRC */
    demand();
    assert_int_equal(rig_frame(&rig, 2)->len, 60);
    send_part(FS | AC | DPD | LS | 50, payload);
    demand();
    assert_int_equal(rig_sent(&rig), 3);
}

static void a_packet_over_several_descriptors_stays_in_its_buffer(void **state) /* CVE-2015-3209 */
{
    (void)state;

    ack();
    give_at(tx_ring + 16, FS | 2047 | 2047 << 11, payload, payload);
    give_at(tx_ring + 32, 2047 | 2047 << 11, payload, payload);
    give_at(tx_ring + 48, RING_END | LS | IC | 2047 | 2047 << 11, payload, payload);
    demand();
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(nic->port.stats.drops[DROP_GIANT], 1);
    assert_int_equal(status(tx_ring, 3), JABBER | ES);
    assert_int_equal(csr(5) & (7 << 20), 0); /* stopped */
    assert_int_equal(csr(5) & (TJT | TPS | TU), TJT | TPS);
    tx_next = 0;
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 0);
    put(6, SR);
    put(6, SR | ST);
    assert_int_equal(rig_sent(&rig), 1);
    send_part(FS | 2040, payload);
    send_part(LS | 520, payload);
    demand();
    assert_int_equal(rig_frame(&rig, 1)->len, 2560);
}

static void an_empty_ring_suspends_and_a_demand_resumes(void **state)
{
    (void)state;

    demand();
    assert_int_equal(csr(5) & (ALL | 7 << 20), TX_SUSPENDED);
    put(6, SR);
    assert_int_equal(csr(5) & (ALL | 7 << 20), TPS);
    ack();
    put(6, SR);
    assert_int_equal(csr(5) & ALL, 0); /* it did not run */
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 0);
    put(6, SR | ST); /* where it was */
    assert_int_equal(rig_sent(&rig), 1);
    assert_int_equal(csr(1), 0xffffffff);
    send_part(FS | 50, payload);
    demand();
    put(6, SR);
    put(6, SR | ST);
    send_part(LS | 50, payload); /* its beginning was given up */
    send_part(FS | LS | 100, payload);
    demand();
    assert_int_equal(rig_sent(&rig), 2);
}

static void setup_frames_are_of_one_size_and_four_kinds(void **state)
{
    static const uint32_t kinds[][2] = {{0, 0}, {HASH, HP}, {INVERSE, IF}, {HASH_ONLY, HP | HO}};
    (void)state;

    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        uint32_t at_slot = tx_next;
        ack();
        setup_send(kinds[i][0] | (i & 1 ? IC : 0));
        assert_int_equal(csr(6) & (HP | HO | IF), kinds[i][1]);
        assert_int_equal(status(tx_ring, at_slot), 0x7fffffff);
        assert_int_equal(csr(5) & TI, i & 1);
    }
    put(6, ST | SR | HP | IF); /* are not to be written */
    assert_int_equal(csr(6) & (HP | HO | IF), HP | HO);
    send_part(SETUP | 191, setup_at);
    send_part(SETUP | 0, setup_at);
    send_part(SETUP | 193, setup_at);
    demand();
    assert_int_equal(csr(6) & (HP | HO | IF), HP | HO);
    assert_int_equal(rig_sent(&rig), 0);
}

static void expect_fatal(void)
{
    assert_int_equal(csr(5) & (FBE | STATES | BUS_ERROR), FBE | MASTER_ABORT);
    ack();
    put(6, 0);
    put(6, SR | ST); /* nothing goes until a reset */
    demand();
    put(2, 1);
    card_receive(own, 100);
    assert_int_equal(csr(5) & (ALL | STATES), 0);
    rig_forget(&rig);
    start(0, 0);
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 1);
    rig_forget(&rig);
}

static void what_is_not_ram_is_a_fatal_bus_error(void **state)
{
    (void)state;

    send_part(FS | LS | 100, BAD);
    demand();
    expect_fatal();
    send_part(SETUP | 192, BAD);
    demand();
    expect_fatal();
    put(6, SR);
    put(4, BAD);
    put(6, SR | ST);
    expect_fatal();
    put(6, ST);
    put(3, 0xfffffffc);
    put(6, ST | SR);
    expect_fatal();
    give(rx_ring, 0, BUFFER, BAD);
    card_receive(own, 100);
    expect_fatal();
    give_at(rx_ring, CHAINED | 64, buffers, BAD);
    card_receive(own, 100);
    expect_fatal();
    give_at(tx_ring + 16 * tx_next, CHAINED | FS | LS | 64, payload,
            RIG_RAM_BASE + RIG_RAM_SIZE - 8);
    demand();
    rig_forget(&rig);
    expect_fatal();
}

static void without_bus_mastering_memory_is_not_reached(void **state)
{
    (void)state;

    config_write(8, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 2);
    send_frame(100);
    assert_int_equal(rig_sent(&rig), 0);
    assert_int_equal(status(tx_ring, 1), OWN);
    assert_true(csr(5) & FBE);
    config_write(8, PCI_COMMAND, 7, 2);
    expect_fatal();
}

/* Wherever it is: the card may not reach its own registers (CVE-2021-3416). */
static void buffers_in_its_own_registers_are_not_reached(void **state)
{
    uint32_t self = config_read(8, PCI_BAR0 + 4, 4);
    (void)state;

    give(rx_ring, 0, BUFFER, self);
    card_receive(own, 100);
    expect_fatal();
    put(6, 0);
    put(4, self);
    put(6, ST);
    expect_fatal();
}

static void a_list_without_end_is_taken_in_pieces(void **state) /* CVE-2016-8910 */
{
    unsigned sent;
    (void)state;

    put(6, 0);
    memset(at((uint32_t)RIG_RAM_BASE), 0xff, RIG_RAM_SIZE);
    for (uint32_t i = 0; i < 4096; i++)
        give_at((uint32_t)RIG_RAM_BASE + i * 16, FS | LS | 100, payload, 0);
    put(4, (uint32_t)RIG_RAM_BASE);
    put(6, ST);
    assert_int_equal(csr(5) & (7 << 20), 1 << 20); /* it runs on */
    sent = rig_sent(&rig);
    assert_in_range(sent, 1, 300);
    demand(); /* not before its time */
    assert_int_equal(rig_sent(&rig), sent);
    wait_ns(10 * NS_PER_US);
    assert_int_equal(rig_sent(&rig), 2 * sent);
    put(6, 0);
    rig_forget(&rig);
    wait_ns(NS_PER_MS);
    assert_int_equal(rig_sent(&rig), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_descriptor_is_a_frame),
        T(a_demand_for_nothing_is_told_once),
        T(the_ring_goes_round),
        T(a_packet_may_be_in_several_descriptors_of_two_buffers),
        T(lists_may_be_chains),
        T(longwords_may_be_skipped),
        T(descriptors_may_be_big_endian),
        T(buffers_may_be_big_endian),
        T(a_driver_may_send_its_own_crc),
        T(a_packet_over_several_descriptors_stays_in_its_buffer),
        T(an_empty_ring_suspends_and_a_demand_resumes),
        T(setup_frames_are_of_one_size_and_four_kinds),
        T(what_is_not_ram_is_a_fatal_bus_error),
        T(without_bus_mastering_memory_is_not_reached),
        T(buffers_in_its_own_registers_are_not_reached),
        T(a_list_without_end_is_taken_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
