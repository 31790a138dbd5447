/* What lies between libslirp and the wire: large segments, the offers of a SYN, fragments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "devices/uplinks/user_packet.h"
#include "sim/offload.h"
#include "sim/rng.h"

static struct frame *got[64];
static unsigned n_got;

static void keep(void *opaque, struct frame *f)
{
    (void)opaque;
    assert_true(n_got < ARRAY_LEN(got));
    got[n_got++] = frame_ref(f);
}

static void keep_taken(void *opaque, struct frame *f)
{
    keep(opaque, f);
    frame_unref(f);
}

static void forget(void)
{
    while (n_got)
        frame_unref(got[--n_got]);
}

static int teardown(void **state)
{
    (void)state;
    forget();
    assert_int_equal(frame_alive(), 0);
    return 0;
}

/* An IPv4 packet with a transport header of `header` bytes and `payload` more, without sums. */
static struct frame *packet(uint8_t proto, uint32_t header, uint32_t payload)
{
    struct frame *f = frame_new(34 + header + payload);
    uint8_t *p = f->data;

    f->len = 34 + header + payload;
    for (uint32_t i = 0; i < f->len; i++)
        p[i] = (uint8_t)(i + i / 256);
    store_be16(p + 12, 0x0800);
    p[14] = 0x45;
    store_be16(p + 16, (uint16_t)(f->len - 14));
    store_be16(p + 20, 0);
    p[23] = proto;
    store_be16(p + 24, 0);
    store_be16(p + 24, inet_fold(inet_sum(0, p + 14, 20)));
    return f;
}

static uint32_t pseudo(const uint8_t *p, uint8_t proto, uint32_t len)
{
    return inet_sum(proto + len, p + 26, 8);
}

static bool tcp_sum_right(const uint8_t *p, uint32_t len)
{
    return inet_fold(inet_sum(pseudo(p, 6, len - 34), p + 34, len - 34)) == 0;
}

static struct frame *tcp(uint8_t flags, uint32_t header, uint32_t payload)
{
    struct frame *f = packet(6, header, payload);
    uint8_t *t = f->data + 34;

    t[12] = (uint8_t)(header / 4 << 4);
    t[13] = flags;
    store_be16(t + 16, 0);
    store_be16(t + 16, inet_fold(inet_sum(pseudo(f->data, 6, f->len - 34), t, f->len - 34)));
    return f;
}

/* A SYN whose options begin with `pad` NOPs. */
static struct frame *syn(uint16_t mss, unsigned pad)
{
    struct frame *f = tcp(2, 28, 0);
    uint8_t *t = f->data + 34;

    memset(t + 20, 1, 8);
    memcpy(t + 20 + pad, (uint8_t[]){2, 4, (uint8_t)(mss >> 8), (uint8_t)mss}, 4);
    store_be16(t + 16, 0);
    store_be16(t + 16, inet_fold(inet_sum(pseudo(f->data, 6, f->len - 34), t, f->len - 34)));
    return f;
}

static void a_guests_ordinary_offer_is_raised_and_others_are_not(void **state)
{
    static const uint16_t offers[] = {536, 1459, 1460, 8960};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(offers); i++)
        for (unsigned pad = 0; pad <= 4; pad++) {
            struct frame *f = syn(offers[i], pad);
            assert_true(user_packet_in(f, keep, NULL));
            assert_int_equal(load_be16(f->data + 56 + pad), offers[i]); /* it is shared */
            frame_unref(f);
            assert_int_equal(n_got, 1);
            assert_int_equal(load_be16(got[0]->data + 56 + pad),
                             offers[i] == 1460 ? USER_MTU - 40 : offers[i]);
            assert_true(tcp_sum_right(got[0]->data, got[0]->len));
            forget();
        }
}

static void the_guest_is_offered_what_fits_its_wire(void **state)
{
    (void)state;
    for (unsigned pad = 0; pad <= 4; pad++) {
        struct frame *f = syn(USER_MTU - 40, pad);
        user_packet_out(f->data, f->len, keep_taken, NULL);
        frame_unref(f);
        assert_int_equal(load_be16(got[0]->data + 56 + pad), 1460);
        assert_true(tcp_sum_right(got[0]->data, got[0]->len));
        forget();
    }
}

static void a_segmentation_request_stays_one_packet(void **state)
{
    struct frame *f = tcp(0x18, 32, 40000);
    (void)state;
    f->offload = (struct frame_offload){.needs_csum = true,
                                        .csum_start = 34,
                                        .csum_offset = 16,
                                        .gso = FRAME_GSO_TCPV4,
                                        .gso_size = 1448,
                                        .hdr_len = 66};
    store_be16(f->data + 50, 0x1234);
    assert_true(user_packet_in(f, keep, NULL));
    assert_int_equal(n_got, 1);
    assert_int_equal(got[0]->len, f->len);
    assert_true(frame_is_finished(got[0]));
    assert_true(tcp_sum_right(got[0]->data, got[0]->len));
    assert_int_equal(inet_fold(inet_sum(0, got[0]->data + 14, 20)), 0);
    assert_memory_equal(got[0]->data + 66, f->data + 66, 40000);
    f->offload.csum_start = 35;
    assert_false(user_packet_in(f, keep, NULL));
    frame_unref(f);
}

/* Cut up, it is what libslirp would have sent in small pieces. */
static void a_large_segment_becomes_a_request_that_makes_right_segments(void **state)
{
    struct frame *f = tcp(0x18, 20, 10000);
    (void)state;
    user_packet_out(f->data, f->len, keep_taken, NULL);
    assert_int_equal(n_got, 1);
    assert_int_equal(got[0]->offload.gso, FRAME_GSO_TCPV4);
    struct frame *request = frame_ref(got[0]);
    forget();
    assert_int_equal(offload_finish(request, keep, NULL), 7);
    for (unsigned i = 0; i < n_got; i++) {
        assert_int_equal(got[i]->len, i < 6 ? 1514 : 54 + 10000 - 6 * 1460);
        assert_true(tcp_sum_right(got[i]->data, got[i]->len));
        assert_memory_equal(got[i]->data + 54, f->data + 54 + 1460 * i, got[i]->len - 54);
    }
    frame_unref(request);
    frame_unref(f);
}

static void what_fits_passes_as_it_is(void **state)
{
    struct frame *f = tcp(0x18, 20, 1460);
    (void)state;
    user_packet_out(f->data, f->len, keep_taken, NULL);
    assert_int_equal(got[0]->len, f->len);
    assert_memory_equal(got[0]->data, f->data, f->len);
    assert_true(frame_is_finished(got[0]));
    assert_true(got[0]->offload.csum_valid);
    frame_unref(f);
}

static void other_long_packets_are_fragmented(void **state)
{
    struct frame *f = packet(17, 8, 5000);
    uint32_t at = 0;
    (void)state;
    user_packet_out(f->data, f->len, keep_taken, NULL);
    assert_int_equal(n_got, 4);
    for (unsigned i = 0; i < n_got; i++) {
        const uint8_t *p = got[i]->data;
        uint32_t part = load_be16(p + 16) - 20u;
        assert_true(got[i]->len <= 1514);
        assert_int_equal(load_be16(p + 20), at / 8 | (i < 3 ? 0x2000 : 0));
        assert_int_equal(inet_fold(inet_sum(0, p + 14, 20)), 0);
        assert_memory_equal(p + 34, f->data + 34 + at, part);
        at += part;
    }
    assert_int_equal(at, 5008);
    frame_unref(f);
}

static struct frame *packet6(uint8_t next, uint32_t len)
{
    struct frame *f = frame_new(54 + len);
    uint8_t *p = f->data;

    memset(p, 0, f->cap);
    store_be16(p + 12, 0x86dd);
    p[14] = 0x60;
    store_be16(p + 18, (uint16_t)len);
    p[20] = next;
    for (uint32_t i = 0; i < 32 + len; i++)
        p[22 + i] = (uint8_t)(i * 7 + i / 256);
    f->len = 54 + len;
    return f;
}

static void so_are_those_of_ipv6(void **state)
{
    struct frame *f = packet6(17, 5000);
    uint32_t at = 0;
    (void)state;
    user_packet_out(f->data, f->len, keep_taken, NULL);
    assert_int_equal(n_got, 4);
    for (unsigned i = 0; i < n_got; i++) {
        const uint8_t *p = got[i]->data;
        uint32_t part = load_be16(p + 18) - 8u;
        assert_true(got[i]->len <= 1514);
        assert_int_equal(p[20], 44);
        assert_memory_equal(p + 22, f->data + 22, 32);
        assert_int_equal(p[54], 17);
        assert_int_equal(load_be16(p + 56), at | (i < 3));
        assert_int_equal(load_be32(p + 58), load_be32(got[0]->data + 58));
        assert_memory_equal(p + 62, f->data + 54 + at, part);
        at += part;
    }
    assert_int_equal(at, 5000);
    frame_unref(f);
}

static void a_large_segment_over_ipv6_becomes_a_request_too(void **state)
{
    struct frame *f = packet6(6, 20 + 10000);
    (void)state;
    f->data[54 + 12] = 0x50;
    f->data[54 + 13] = 0x18;
    user_packet_out(f->data, f->len, keep_taken, NULL);
    assert_int_equal(n_got, 1);
    struct frame *request = frame_ref(got[0]);
    forget();
    assert_int_equal(offload_finish(request, keep, NULL), 7);
    for (unsigned i = 0; i < n_got; i++) {
        const uint8_t *p = got[i]->data;
        uint32_t len = load_be16(p + 18);
        assert_int_equal(len, i < 6 ? 1460 : 20 + 10000 - 6 * 1440);
        assert_int_equal(inet_fold(inet_sum(inet_sum(6 + len, p + 22, 32), p + 54, len)), 0);
        assert_memory_equal(p + 74, f->data + 74 + 1440 * i, len - 20);
    }
    frame_unref(request);
    frame_unref(f);
}

/* Header lengths that lie, options that do not end or make no progress. */
static void lying_packets_are_survived(void **state)
{
    struct rng r;
    (void)state;
    rng_init(&r, 1, "user_packet");
    for (unsigned i = 0; i < 20000; i++) {
        struct frame *f = i % 2 ? syn((uint16_t)rng_next(&r), i % 5) : packet(17, 8, i % 3000);
        for (unsigned j = 0; j < 3; j++)
            f->data[12 + rng_below(&r, MIN(f->len - 12, 52u))] = (uint8_t)rng_next(&r);
        f->len = 14 + (uint32_t)rng_below(&r, f->len - 13);
        user_packet_in(f, keep, NULL);
        user_packet_out(f->data, f->len, keep_taken, NULL);
        frame_unref(f);
        forget();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_guests_ordinary_offer_is_raised_and_others_are_not, teardown),
        cmocka_unit_test_teardown(the_guest_is_offered_what_fits_its_wire, teardown),
        cmocka_unit_test_teardown(a_segmentation_request_stays_one_packet, teardown),
        cmocka_unit_test_teardown(a_large_segment_becomes_a_request_that_makes_right_segments,
                                  teardown),
        cmocka_unit_test_teardown(what_fits_passes_as_it_is, teardown),
        cmocka_unit_test_teardown(other_long_packets_are_fragmented, teardown),
        cmocka_unit_test_teardown(so_are_those_of_ipv6, teardown),
        cmocka_unit_test_teardown(a_large_segment_over_ipv6_becomes_a_request_too, teardown),
        cmocka_unit_test_teardown(lying_packets_are_survived, teardown),
    };
    return cmocka_run_group_tests_name("user packets", tests, NULL, NULL);
}
