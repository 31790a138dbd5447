/* Offload requests carried out: every packet that comes out is whole, and hostile ones do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/offload.h"
#include "sim/rng.h"

#define PAYLOAD 4000

struct got {
    struct frame *packets[64];
    unsigned n;
};

static void keep(void *opaque, struct frame *f)
{
    struct got *g = opaque;
    assert_true(g->n < 64);
    g->packets[g->n++] = frame_ref(f);
}

static void got_finish(struct got *g)
{
    for (unsigned i = 0; i < g->n; i++)
        frame_unref(g->packets[i]);
    assert_int_equal(frame_alive(), 0);
}

/* The pseudo-header's sum, written apart from the code under test. */
static uint16_t pseudo(const uint8_t *ip, uint8_t proto, uint32_t len)
{
    bool v6 = ip[0] >> 4 == 6;
    uint64_t sum = proto + len;
    for (unsigned i = v6 ? 8 : 12; i < (v6 ? 40u : 20u); i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void sums_of_any_length_and_place_are_those_of_their_bytes(void **state)
{
    uint8_t bytes[400];
    (void)state;
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i < 200 ? 0xff : i * 37);
    for (unsigned from = 0; from < 16; from++)
        for (unsigned len = 0; from + len <= sizeof(bytes); len++) {
            uint32_t sum = 0x1234;
            for (unsigned i = 0; i < len; i++)
                sum += i % 2 ? bytes[from + i] : (uint32_t)bytes[from + i] << 8;
            assert_int_equal(inet_fold(inet_sum(0x1234, bytes + from, len)), inet_fold(sum));
        }
}

static bool sums_to_ones(uint16_t start, const uint8_t *p, uint32_t len)
{
    uint64_t sum = start;
    for (uint32_t i = 0; i < len; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

/* Ethernet [+ 802.1Q] + IPv4/IPv6 + TCP/UDP with PAYLOAD bytes and a request on it. */
static struct frame *request(bool v6, bool tcp, bool tagged, uint16_t gso_size)
{
    uint32_t l3 = tagged ? 18 : 14, l4 = l3 + (v6 ? 40 : 20), payload = l4 + (tcp ? 20 : 8);
    struct frame *f = frame_new(payload + PAYLOAD);
    uint8_t *p = f->data, *ip = p + l3, *th = p + l4;

    f->len = payload + PAYLOAD;
    memset(p, 0, f->len);
    if (tagged)
        store_be32(p + 12, 0x81000064);
    store_be16(p + l3 - 2, v6 ? 0x86dd : 0x0800);
    for (uint32_t i = 0; i < PAYLOAD; i++)
        p[payload + i] = (uint8_t)(i * 7 + i / 256);
    if (v6) {
        ip[0] = 0x60;
        ip[6] = tcp ? 6 : 17;
        ip[23] = 1, ip[39] = 2;
        store_be16(ip + 4, (uint16_t)(f->len - l4));
    } else {
        ip[0] = 0x45;
        ip[8] = 64;
        ip[9] = tcp ? 6 : 17;
        store_be16(ip + 2, (uint16_t)(f->len - l3));
        store_be16(ip + 4, 1000);
        store_be32(ip + 12, 0x0a000001);
        store_be32(ip + 16, 0x0a000002);
    }
    if (tcp) {
        store_be32(th + 4, 0xfffffff0); /* wraps on the way */
        th[12] = 5 << 4;
        th[13] = 0x80 | 0x18 | 0x01; /* CWR, PSH, ACK, FIN */
    } else {
        store_be16(th + 4, (uint16_t)(PAYLOAD + 8));
    }
    store_be16(th + (tcp ? 16 : 6), pseudo(ip, tcp ? 6 : 17, f->len - l4));
    f->offload = (struct frame_offload){
        .needs_csum = true,
        .csum_start = (uint16_t)l4,
        .csum_offset = tcp ? 16 : 6,
        .gso = !gso_size ? FRAME_GSO_NONE
               : !tcp    ? FRAME_GSO_UDP
               : v6      ? FRAME_GSO_TCPV6
                         : FRAME_GSO_TCPV4,
        .gso_size = gso_size,
        .hdr_len = (uint16_t)payload,
    };
    return f;
}

static void check_segments(bool v6, bool tagged)
{
    struct got g = {0};
    struct frame *f = request(v6, true, tagged, 1448);
    uint32_t l3 = tagged ? 18 : 14, l4 = l3 + (v6 ? 40 : 20), at = 0;

    assert_int_equal(offload_finish(f, keep, &g), 3);
    for (unsigned i = 0; i < g.n; i++) {
        const struct frame *s = g.packets[i];
        const uint8_t *ip = s->data + l3, *tcp = s->data + l4;
        uint32_t len = s->len - l4 - 20;
        assert_true(frame_is_finished(s));
        assert_int_equal(len, i < 2 ? 1448 : PAYLOAD - 2 * 1448);
        assert_int_equal(load_be32(tcp + 4), (uint32_t)(0xfffffff0 + at));
        assert_int_equal(tcp[13], i == 0 ? 0x90 : i == 1 ? 0x10 : 0x19);
        assert_memory_equal(tcp + 20, f->data + l4 + 20 + at, len);
        assert_true(sums_to_ones(pseudo(ip, 6, s->len - l4), tcp, s->len - l4));
        if (v6) {
            assert_int_equal(load_be16(ip + 4), s->len - l4);
        } else {
            assert_int_equal(load_be16(ip + 2), s->len - l3);
            assert_int_equal(load_be16(ip + 4), 1000 + i);
            assert_true(sums_to_ones(0, ip, 20));
        }
        at += len;
    }
    frame_unref(f);
    got_finish(&g);
}

static void tcp_is_segmented_over_ipv4_and_ipv6_with_and_without_a_tag(void **state)
{
    (void)state;
    check_segments(false, false);
    check_segments(true, false);
    check_segments(false, true);
}

static void a_checksum_request_alone_is_filled_in(void **state)
{
    struct got g = {0};
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct frame *f = request(v6, false, false, 0);
        assert_int_equal(offload_finish(f, keep, &g), 1);
        const uint8_t *p = g.packets[v6]->data;
        uint32_t l4 = v6 ? 54 : 34;
        assert_true(sums_to_ones(pseudo(p + 14, 17, f->len - l4), p + l4, f->len - l4));
        frame_unref(f);
    }
    got_finish(&g);
}

static void a_udp_request_becomes_fragments_that_reassemble(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct got g = {0};
        struct frame *f = request(v6, false, false, 1480);
        uint8_t whole[PAYLOAD + 8];
        uint32_t l4 = v6 ? 54 : 34, head = v6 ? l4 + 8 : l4, total = 0;
        assert_int_equal(offload_finish(f, keep, &g), 3);
        for (unsigned i = 0; i < g.n; i++) {
            const uint8_t *p = g.packets[i]->data;
            uint32_t len = g.packets[i]->len - head;
            uint16_t field = load_be16(v6 ? p + l4 + 2 : p + 20);
            uint32_t offset = v6 ? field & 0xfff8u : (field & 0x1fffu) * 8;
            assert_int_equal(v6 ? field & 1 : field >> 13, i < g.n - 1);
            assert_true(v6 || sums_to_ones(0, p + 14, 20));
            memcpy(whole + offset, p + head, len);
            total += len;
        }
        assert_int_equal(total, sizeof(whole));
        assert_true(sums_to_ones(pseudo(f->data + 14, 17, total), whole, total));
        assert_memory_equal(whole + 8, f->data + l4 + 8, PAYLOAD);
        frame_unref(f);
        got_finish(&g);
    }
}

static void a_udp_request_may_become_datagrams(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct got g = {0};
        struct frame *f = request(v6, false, false, 1472);
        uint32_t l4 = v6 ? 54 : 34, at = 0;
        f->offload.gso = FRAME_GSO_UDP_L4;
        assert_int_equal(offload_finish(f, keep, &g), 3);
        for (unsigned i = 0; i < g.n; i++) {
            const uint8_t *ip = g.packets[i]->data + 14, *udp = g.packets[i]->data + l4;
            uint32_t len = g.packets[i]->len - l4;
            assert_int_equal(load_be16(udp + 4), len);
            assert_int_equal(load_be16(ip + (v6 ? 4 : 2)), v6 ? len : len + 20);
            assert_true(v6 || load_be16(ip + 4) == 1000 + i);
            assert_true(v6 || sums_to_ones(0, ip, 20));
            assert_true(sums_to_ones(pseudo(ip, 17, len), udp, len));
            assert_memory_equal(udp + 8, f->data + l4 + 8 + at, len - 8);
            at += len - 8;
        }
        assert_int_equal(at, PAYLOAD);
        frame_unref(f);
        got_finish(&g);
    }
}

/* CVE-2015-5165, CVE-2016-2857 and their kin: lengths and offsets that lie. */
static void hostile_requests_are_refused_or_bounded(void **state)
{
    const char *text = getenv("LANARIUM_TEST_SEED");
    struct rng r;
    (void)state;
    rng_init(&r, text ? strtoull(text, NULL, 0) : 1, "offload");
    for (unsigned round = 0; round < 20000; round++) {
        struct got g = {0};
        struct frame *f = request(rng_next(&r) & 1, rng_next(&r) & 1, rng_next(&r) & 1, 900);
        struct frame_offload *o = &f->offload;
        f->len = (uint32_t)rng_below(&r, round % 2 ? f->len + 1 : 80);
        for (unsigned i = 0; i < 4; i++)
            f->data[rng_below(&r, 80)] = (uint8_t)rng_next(&r);
        switch (rng_below(&r, 5)) {
        case 0: o->csum_start = (uint16_t)rng_next(&r); break;
        case 1: o->csum_offset = (uint16_t)rng_next(&r); break;
        case 2: o->gso = (uint8_t)rng_below(&r, FRAME_GSO_UDP_L4 + 1); break;
        case 3: o->gso_size = (uint16_t)(100 + rng_below(&r, 2000)); break;
        default: o->needs_csum = rng_next(&r) & 1;
        }
        offload_finish(f, keep, &g);
        frame_unref(f);
        got_finish(&g);
    }
    struct frame *f = request(false, true, false, 900);
    f->offload.gso_size = 0; /* an MSS of zero */
    assert_int_equal(offload_finish(f, keep, &(struct got){0}), 0);
    frame_unref(f);
}

/* An IPv6 request whose transport header claims to lie just below 64 KiB. */
static void headers_of_64_kib_are_refused(void **state)
{
    (void)state;
    struct frame *f = frame_new(FRAME_MAX_LEN);
    memset(f->data, 0, FRAME_MAX_LEN);
    f->len = FRAME_MAX_LEN;
    store_be16(f->data + 12, 0x86dd);
    f->data[65535 + 12] = 5 << 4;
    f->offload = (struct frame_offload){.needs_csum = true, .csum_start = 65535, .csum_offset = 16,
                                        .gso = FRAME_GSO_TCPV6, .gso_size = 1400};
    struct got g = {0};
    assert_int_equal(offload_finish(f, keep, &g), 0);
    f->offload.csum_start = 40000; /* in bounds, but each segment would repeat it */
    f->data[40000 + 12] = 5 << 4;
    assert_int_equal(offload_finish(f, keep, &g), 0);
    frame_unref(f);
    got_finish(&g);
}

static void count(void *opaque, struct frame *f)
{
    (void)f;
    ++*(unsigned *)opaque;
}

/* One frame of 64 KiB with an MSS of 1 would be 65,000 packets at each receiver. */
static void segments_of_fewer_than_eight_bytes_are_refused(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned tcp = 0; tcp < 2; tcp++)
            for (uint16_t size = 1; size <= OFFLOAD_MIN_SEGMENT; size++) {
                struct frame *f = request(v6, tcp, false, size);
                unsigned n = 0, want = (PAYLOAD + (tcp ? 0u : 8u)) / OFFLOAD_MIN_SEGMENT;
                assert_int_equal(offload_finish(f, count, &n),
                                 size < OFFLOAD_MIN_SEGMENT ? 0 : want);
                assert_int_equal(n, size < OFFLOAD_MIN_SEGMENT ? 0 : want);
                frame_unref(f);
            }
    struct frame *f = request(false, true, false, 1);
    assert_null(offload_whole(f));
    frame_unref(f);
    assert_int_equal(frame_alive(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_any_length_and_place_are_those_of_their_bytes),
        cmocka_unit_test(tcp_is_segmented_over_ipv4_and_ipv6_with_and_without_a_tag),
        cmocka_unit_test(a_checksum_request_alone_is_filled_in),
        cmocka_unit_test(a_udp_request_becomes_fragments_that_reassemble),
        cmocka_unit_test(a_udp_request_may_become_datagrams),
        cmocka_unit_test(hostile_requests_are_refused_or_bounded),
        cmocka_unit_test(headers_of_64_kib_are_refused),
        cmocka_unit_test(segments_of_fewer_than_eight_bytes_are_refused),
    };
    return cmocka_run_group_tests_name("offload", tests, NULL, NULL);
}
