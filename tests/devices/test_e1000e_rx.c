/* The e1000e receives: extended descriptors, split packets, and queues by hash. */
#include "e1000e_rig.h"

#include "sim/offload.h"

/* --- extended descriptors --- */

static void an_extended_descriptor_says_what_the_packet_is(void **state)
{
    (void)state;

    card_receive(own, 100);
    assert_int_equal(load_le64(rx_at(0, 0)), 0);      /* not hashed */
    assert_int_equal(status_of(0, 0) & 0xff0000f, 7); /* DD, EOP, IXSM */
    assert_int_equal(length_of(0, 0), 100);
    assert_int_equal(rig_at(&rig, buffers[0])[ETH_HLEN], ETH_HLEN);
    assert_int_equal(get(RDH), 1);
    assert_true(get(ICR) & RXT0);
}

static void checksums_are_in_the_extended_status(void **state)
{
    struct frame *f = flow_packet(&v4_tcp, 60);
    (void)state;

    receive(frame_ref(f));
    assert_int_equal(status_of(0, 0) & 0x64, 0x60); /* TCPCS, IPCS, no IXSM */
    assert_int_equal(status_of(0, 0) >> 24, 0);
    f->data[80] ^= 1;
    receive(f);
    assert_int_equal(status_of(0, 1) >> 24, 0x20); /* TCPE */
}

static void without_pcsd_there_is_the_identification_and_a_sum(void **state)
{
    (void)state;

    put(RXCSUM, 14);
    receive(flow_packet(&v4_udp, 60));
    assert_int_equal(load_le16(rx_at(0, 0) + 4), 0x1234);
    assert_int_not_equal(load_le16(rx_at(0, 0) + 6), 0);
    assert_int_equal(status_of(0, 0) & 0x600, 0x200); /* IPIDV */
}

static void the_first_fragment_of_udp_says_whether_it_has_a_sum(void **state)
{
    static const uint16_t first = 0x2000, second = 0x2001, last = 0x0001;
    const struct {
        uint16_t fragment, sum, udpv;
    } cases[] = {{first, 0xabcd, 0x400}, {first, 0, 0}, {second, 0xabcd, 0}, {last, 0xabcd, 0}};
    (void)state;

    put(RXCSUM, 0);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct frame *f = flow_packet(&v4_udp, 60);
        store_be16(f->data + 20, cases[i].fragment);
        store_be16(f->data + 40, cases[i].sum);
        receive(f);
        assert_int_equal(status_of(0, i) & 0x400, cases[i].udpv);
    }
}

static void a_sum_that_was_checked_is_udps_or_tcps(void **state)
{
    struct frame *f = flow_packet(&v4_udp, 60);
    uint8_t *p = f->data;
    (void)state;

    store_be16(p + 40, inet_fold(inet_sum(inet_sum(17 + 68, p + 26, 8), p + 34, 68)));
    receive(f);
    assert_int_equal(status_of(0, 0) & 0x74, 0x70); /* UDPCS, TCPCS, IPCS */
    receive(flow_packet(&v4_tcp, 60));
    assert_int_equal(status_of(0, 1) & 0x74, 0x60);
}

static void buffers_may_be_of_any_kibibytes(void **state)
{
    (void)state;

    put(RCTL, EN | BAM | SECRC | LPE | 1 << 27); /* FLXBUF */
    card_receive(own, 1500);
    assert_int_equal(length_of(0, 0), 1024);
    assert_int_equal(length_of(0, 1), 476);
}

static void extended_descriptors_without_a_buffer_are_passed_over(void **state)
{
    (void)state;

    store_le64(rig_at(&rig, rx_ring[0]), 0);
    store_le64(rig_at(&rig, rx_ring[0] + 8), 0);
    card_receive(own, 100);
    assert_int_equal(status_of(0, 0), 1); /* DD */
    assert_int_equal(length_of(0, 0), 0);
    assert_int_equal(length_of(0, 1), 100);
    assert_int_equal(get(RDH), 2);
}

static void a_long_frame_takes_several_extended_descriptors(void **state)
{
    (void)state;

    put(RCTL, EN | BAM | SECRC | LPE);
    card_receive(own, 5000);
    assert_int_equal(status_of(0, 0), 1);
    assert_int_equal(length_of(0, 0), 2048);
    assert_int_equal(status_of(0, 2) & 3, 3);
    assert_int_equal(length_of(0, 2), 904);
    assert_int_equal(get(RDH), 3);
}

static void a_stripped_tag_is_in_the_extended_descriptor(void **state)
{
    struct frame *f = frame_new(100);
    (void)state;

    put(CTRL, SLU | VME);
    f->len = 100;
    card_fill(f->data, 100, own);
    store_be32(f->data + 12, 0x81002005);
    receive(f);
    assert_int_equal(length_of(0, 0), 96);
    assert_int_equal(load_le16(rx_at(0, 0) + 14), 0x2005);
    assert_true(status_of(0, 0) & 8);
}

static void without_exten_descriptors_are_the_old_ones(void **state)
{
    (void)state;

    put(RFCTL, 0);
    card_receive(own, 100);
    assert_int_equal(load_le64(rx_at(0, 0)), buffers[0]);
    assert_int_equal(load_le16(rx_at(0, 0) + 8), 100);
    assert_int_equal(rx_at(0, 0)[12] & 3, 3);
}

static void a_full_ring_holds_and_goes_on_where_it_wraps(void **state)
{
    (void)state;

    for (unsigned i = 0; i < N + 2; i++)
        card_receive(own, 100 + i);
    assert_int_equal(get(RDH), N - 1);
    assert_true(get(RNBC) > 0);
    assert_true(get(ICR) & RXDMT0);
    give_buffers(0);
    put(RDT, 2);
    rig_advance(&rig, rig.actor.now);
    assert_int_equal(get(RDH), 2);
    assert_int_equal(length_of(0, N - 1), 100 + N - 1);
    assert_int_equal(length_of(0, 1), 100 + N + 1);
}

/* --- split packets --- */

static void split_start(uint32_t psrctl)
{
    put(PSRCTL, psrctl);
    put(RCTL, EN | BAM | SECRC | LPE | SPLIT);
    for (unsigned i = 0; i < N / 2; i++)
        for (unsigned k = 0; k < 4; k++)
            store_le64(rig_at(&rig, rx_ring[0] + 32 * i + 8 * k),
                       buffers[0] + 4096 * i + (k ? 256 + 1024 * (k - 1) : 0));
    put(RDT, N - 2);
}
#define SIZES (2 | 1 << 8 | 1 << 16 | 1 << 24) /* 256 bytes, and thrice 1 KiB */

static void headers_and_data_go_apart(void **state)
{
    struct frame *f = flow_packet(&v4_tcp, 1400);
    (void)state;

    split_start(SIZES);
    receive(frame_ref(f));
    assert_int_equal(get(RDH), 2);
    assert_int_equal(status_of(0, 0) & 3, 3);
    assert_int_equal(length_of(0, 0), 54);
    assert_int_equal(load_le16(rx_at(0, 1)), 0x8000 | 54);
    assert_int_equal(load_le16(rx_at(0, 1) + 2), 1024);
    assert_int_equal(load_le16(rx_at(0, 1) + 4), 376);
    assert_int_equal(load_le16(rx_at(0, 1) + 6), 0);
    assert_memory_equal(rig_at(&rig, buffers[0]), f->data, 54);
    assert_memory_equal(rig_at(&rig, buffers[0] + 256), f->data + 54, 1024);
    assert_memory_equal(rig_at(&rig, buffers[0] + 1280), f->data + 1078, 376);
    frame_unref(f);
}

static void what_has_no_headers_begins_in_the_first_buffer(void **state)
{
    (void)state;

    split_start(SIZES);
    card_receive(own, 1000);
    assert_int_equal(length_of(0, 0), 256);
    assert_int_equal(load_le16(rx_at(0, 1)), 0);
    assert_int_equal(load_le16(rx_at(0, 1) + 2), 744);
}

static void a_packet_of_several_split_descriptors(void **state)
{
    (void)state;

    split_start(SIZES);
    receive(flow_packet(&v4_udp, 4000));
    assert_int_equal(get(RDH), 4);
    assert_int_equal(length_of(0, 0), 42);
    assert_int_equal(status_of(0, 0), 1);
    assert_int_equal(length_of(0, 2), 0); /* only the first has headers */
    assert_int_equal(load_le16(rx_at(0, 3) + 2), 4000 - 3072);
    assert_int_equal(status_of(0, 2) & 3, 3);
    receive(flow_packet(&v4_udp, 4000)); /* one is left: it waits */
    assert_int_equal(get(RDH), 4);
    assert_true(get(RNBC) > 0);
}

/* The header's length has ten bits in the descriptor. */
static void headers_longer_than_can_be_said_do_not_go_apart(void **state)
{
    (void)state;

    split_start(16 | 1 << 8 | 1 << 16 | 1 << 24); /* 2 KiB for headers */
    for (unsigned i = 0; i < 2; i++) {
        struct frame *f = flow_packet(&v6_udp, 1300);
        uint32_t extension = i ? 1024 : 512;
        f->data[20] = 0; /* hop-by-hop options */
        memset(f->data + 54, 0, 8);
        f->data[54] = 59; /* and nothing behind them */
        f->data[55] = (uint8_t)(extension / 8 - 1);
        receive(f);
        assert_int_equal(load_le16(rx_at(0, 2 * i) + 16), i ? 0 : 0x8000 | (54 + 512));
        assert_int_equal(length_of(0, 2 * i), i ? 62 + 1300 : 54 + 512);
    }
}

static void split_buffers_of_no_bytes_do_not_hang(void **state)
{
    (void)state;

    split_start(0);
    receive(flow_packet(&v4_tcp, 100));
    split_start(2); /* no buffers for data: nothing goes apart */
    receive(flow_packet(&v4_tcp, 100));
    assert_int_equal(get(RDH), 2);
    assert_int_equal(length_of(0, 0), 154);
    split_start(1 << 8); /* none for headers */
    receive(flow_packet(&v4_tcp, 100));
    assert_int_equal(get(RDH), 4);
    put(RDH, 7); /* the last unit: half of it is beyond the ring */
    put(RDT, 5);
    receive(flow_packet(&v4_tcp, 100));
    assert_int_equal(get(RDH), 1);
}

/* --- receive-side scaling --- */

/* The key and results that the specification of RSS gives for verification. */
static const uint8_t key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                                0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                                0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
                                0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static void rss_start(uint32_t mrqc)
{
    for (unsigned i = 0; i < 10; i++)
        put(RSSRK + 4 * i, load_le32(key + 4 * i));
    put(MRQC, mrqc);
}

static void hashes_are_those_of_the_specification(void **state)
{
    static const struct {
        const struct flow *flow;
        uint32_t type, hash;
    } known[] = {{&v4_tcp, 1, 0x51ccc178},
                 {&v4_udp, 2, 0x323e8fc2},
                 {&v6_tcp, 3, 0x40207d3d},
                 {&v6_udp, 5, 0x2cc18cd5}};
    (void)state;

    rss_start(1 | 0x170000);
    for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
        receive(flow_packet(known[i].flow, 20));
        assert_int_equal(load_le32(rx_at(0, i)), known[i].type);
        assert_int_equal(load_le32(rx_at(0, i) + 4), known[i].hash);
    }
    card_receive(own, 100); /* neither */
    assert_int_equal(load_le64(rx_at(0, 4)), 0);
    put(MRQC, 0x170000); /* not enabled */
    receive(flow_packet(&v4_tcp, 20));
    assert_int_equal(load_le64(rx_at(0, 5)), 0);
    put(MRQC, 1 | 0x1f0000); /* with extensions, if both are asked for */
    receive(flow_packet(&v6_udp, 20));
    assert_int_equal(load_le32(rx_at(0, 6)), 4);
}

static void the_table_chooses_the_queue(void **state)
{
    uint32_t entry = 0x51ccc178 & 127;
    (void)state;

    rss_start(1 | 0x10000);
    put(RETA + (entry & ~3u), 0x80u << 8 * (entry & 3));
    receive(flow_packet(&v4_tcp, 20));
    receive(flow_packet(&v4_udp, 20)); /* not hashed: the first queue */
    assert_int_equal(get(RDH), 1);
    assert_int_equal(get(RDH + QUEUE), 1);
    assert_int_equal(load_le32(rx_at(1, 0)), 0x101);
    assert_int_equal(load_le32(rx_at(1, 0) + 4), 0x51ccc178);
    assert_int_equal(get(ICR) & (RXQ0 | RXQ1), RXQ0 | RXQ1);
    put(RDLEN + QUEUE, 0); /* a queue without a ring (CVE-2024-6505): what is for it waits */
    receive(flow_packet(&v4_tcp, 20));
    put(RDLEN + QUEUE, N * 16);
    put(RDT + QUEUE, N - 1);
    rig_advance(&rig, rig.actor.now);
    assert_int_equal(get(RDH + QUEUE), 2);
}

static void headers_that_lie_are_not_hashed(void **state)
{
    (void)state;

    rss_start(1 | 0x3f0000);
    for (uint32_t len = ETH_HLEN; len < 80; len++)
        for (unsigned first = 0; first < 4; first++) {
            static const uint8_t versions[] = {0x4f, 0x41, 0x60, 0x6f};
            struct frame *f = frame_new(len);
            f->len = len;
            memset(f->data, 0xff, len);
            memcpy(f->data, own, ETH_ALEN);
            store_be16(f->data + 12, first < 2 ? 0x0800 : 0x86dd);
            if (len > 20) {
                f->data[14] = versions[first];
                f->data[20] = (uint8_t)(first == 2 ? 0 : 43); /* extensions without end */
            }
            receive(f);
            give_buffers(0);
            put(RDT, (get(RDH) + N - 1) % N);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_extended_descriptor_says_what_the_packet_is),
        T(checksums_are_in_the_extended_status),
        T(the_first_fragment_of_udp_says_whether_it_has_a_sum),
        T(a_sum_that_was_checked_is_udps_or_tcps),
        T(buffers_may_be_of_any_kibibytes),
        T(extended_descriptors_without_a_buffer_are_passed_over),
        T(without_pcsd_there_is_the_identification_and_a_sum),
        T(a_long_frame_takes_several_extended_descriptors),
        T(a_stripped_tag_is_in_the_extended_descriptor),
        T(without_exten_descriptors_are_the_old_ones),
        T(a_full_ring_holds_and_goes_on_where_it_wraps),
        T(headers_and_data_go_apart),
        T(what_has_no_headers_begins_in_the_first_buffer),
        T(a_packet_of_several_split_descriptors),
        T(headers_longer_than_can_be_said_do_not_go_apart),
        T(split_buffers_of_no_bytes_do_not_hang),
        T(hashes_are_those_of_the_specification),
        T(the_table_chooses_the_queue),
        T(headers_that_lie_are_not_hashed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
