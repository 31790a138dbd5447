/* TCP segments are put together only where cutting up again gives the very bytes that came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "devices/uplinks/coalesce.h"
#include "sim/offload.h"
#include "sim/rng.h"

#define MOST 400 /* frames in a stream */
#define PSH 0x08
#define ACK 0x10

/* What came, what came out of it, and that cut up again. */
static struct {
    struct frame *in[MOST], *out[MOST], *cut[MOST];
    unsigned n_in, n_out, n_cut;
} s;

/* One side of a connection; what the next segment is. */
struct flow {
    bool v6, tagged;
    unsigned options; /* bytes of TCP's options */
    uint32_t seq;
    uint16_t id, mss;
    uint8_t number; /* of its addresses */
};

/* --- segments --- */

static uint16_t sum_of(uint64_t sum, const uint8_t *p, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static uint32_t l3_of(const struct frame *f)
{
    return load_be16(f->data + 12) == 0x8100 ? 18 : 14;
}

static uint32_t l4_of(const struct frame *f)
{
    uint32_t l3 = l3_of(f);

    return f->data[l3] >> 4 == 6 ? l3 + 40 : l3 + (f->data[l3] & 15) * 4u;
}

/* Both sums, written apart from the code under test. */
static void sums_make(struct frame *f)
{
    uint8_t *ip = f->data + l3_of(f), *tcp = f->data + l4_of(f);
    uint32_t len = f->len - l4_of(f);
    bool v6 = ip[0] >> 4 == 6;
    uint64_t pseudo = 6 + len;

    for (unsigned i = v6 ? 8 : 12; i < (v6 ? 40u : 20u); i += 2)
        pseudo += load_be16(ip + i);
    if (!v6) {
        store_be16(ip + 10, 0);
        store_be16(ip + 10, sum_of(0, ip, (ip[0] & 15) * 4u));
    }
    store_be16(tcp + 16, 0);
    store_be16(tcp + 16, sum_of(pseudo, tcp, len));
}

static void ip_make(const struct flow *w, uint8_t *ip, uint32_t len)
{
    if (w->v6) {
        store_be32(ip, 0x60000007);
        store_be16(ip + 4, (uint16_t)(len - 40));
        ip[6] = 6;
        ip[7] = 64;
        ip[23] = 1;
        ip[39] = w->number;
    } else {
        ip[0] = 0x45;
        store_be16(ip + 2, (uint16_t)len);
        store_be16(ip + 4, w->id);
        ip[6] = 0x40;
        ip[8] = 64;
        ip[9] = 6;
        store_be32(ip + 12, 0x0a000001);
        store_be32(ip + 16, 0x0a000000u | w->number);
    }
}

/* The flow's next segment with `len` bytes, and with what is not asked for left at zero. */
static struct frame *segment(struct flow *w, uint32_t len, uint8_t flags)
{
    uint32_t l3 = w->tagged ? 18 : 14, l4 = l3 + (w->v6 ? 40 : 20), at = l4 + 20 + w->options;
    struct frame *f = frame_new(at + len);
    uint8_t *tcp = f->data + l4;

    f->len = at + len;
    memset(f->data, 0, f->len);
    f->data[5] = w->number;
    if (w->tagged)
        store_be32(f->data + 12, 0x81000064);
    store_be16(f->data + l3 - 2, w->v6 ? 0x86dd : 0x0800);
    ip_make(w, f->data + l3, f->len - l3);
    store_be16(tcp, 5001);
    store_be16(tcp + 2, 40000);
    store_be32(tcp + 4, w->seq);
    store_be32(tcp + 8, 77);
    tcp[12] = (uint8_t)((20 + w->options) / 4 << 4);
    tcp[13] = flags;
    store_be16(tcp + 14, 500);
    memset(tcp + 20, 1, w->options);
    for (uint32_t i = 0; i < len; i++)
        f->data[at + i] = (uint8_t)((w->seq + i) * 11 + (w->seq + i) / 256);
    sums_make(f);
    w->seq += len;
    w->id++;
    return f;
}

/* --- streams --- */

static void keep_out(void *opaque, struct frame *f)
{
    (void)opaque;
    assert_true(s.n_out < MOST);
    s.out[s.n_out++] = f;
}

static void keep_cut(void *opaque, struct frame *f)
{
    (void)opaque;
    assert_true(s.n_cut < MOST);
    s.cut[s.n_cut++] = frame_ref(f);
}

static void come(struct frame *f)
{
    assert_true(s.n_in < MOST);
    s.in[s.n_in++] = f;
}

static void forget(struct frame **list, unsigned *n)
{
    while (*n)
        frame_unref(list[--*n]);
}

/* Everything that came goes through; what is cut up again must be that, and large ones be sound. */
static unsigned pass(void)
{
    struct coalesce c = {.emit = keep_out};
    unsigned large = 0, n_out;

    for (unsigned i = 0; i < s.n_in; i++)
        coalesce_add(&c, frame_from(s.in[i]->data, s.in[i]->len));
    coalesce_flush(&c);
    for (unsigned i = 0; i < s.n_out; i++) {
        large += s.out[i]->offload.gso != FRAME_GSO_NONE;
        assert_true(s.out[i]->len <= FRAME_MAX_LEN);
        assert_true(offload_finish(s.out[i], keep_cut, NULL) > 0);
    }
    assert_int_equal(s.n_cut, s.n_in);
    for (unsigned i = 0; i < s.n_in; i++) {
        assert_int_equal(s.cut[i]->len, s.in[i]->len);
        assert_memory_equal(s.cut[i]->data, s.in[i]->data, s.in[i]->len);
    }
    n_out = s.n_out;
    forget(s.in, &s.n_in);
    forget(s.out, &s.n_out);
    forget(s.cut, &s.n_cut);
    assert_int_equal(frame_alive(), 0);
    return large ? n_out : n_out + MOST; /* told apart from none that is large */
}

#define NONE_LARGE(n) ((n) + MOST)

static struct flow flow(bool v6)
{
    return (struct flow){
        .v6 = v6, .options = 12, .seq = 0xfffffc00, .id = 0xfff8, .mss = 1448, .number = 2};
}

static void a_run_becomes_one_frame(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct flow w = flow(v6);
        for (unsigned i = 0; i < 20; i++)
            come(segment(&w, w.mss, ACK));
        come(segment(&w, 100, ACK | PSH));
        assert_int_equal(pass(), 1); /* over the ends of sequence numbers and identifications */
    }
}

/* As a guest would have sent it: lengths, sums, and what is to be done. */
static void the_frame_is_what_a_nic_is_given(void **state)
{
    struct coalesce c = {.emit = keep_out};
    struct flow w = flow(false);
    (void)state;

    coalesce_add(&c, segment(&w, 1000, ACK));
    coalesce_add(&c, segment(&w, 999, ACK | PSH));
    coalesce_flush(&c);
    assert_int_equal(s.n_out, 1);
    struct frame *f = s.out[0];
    const uint8_t *ip = f->data + 14;
    assert_int_equal(f->len, 14 + 20 + 32 + 1999);
    assert_int_equal(load_be16(ip + 2), f->len - 14);
    assert_int_equal(sum_of(0, ip, 20), 0);
    assert_int_equal(f->data[34 + 13], ACK | PSH);
    assert_int_equal((uint16_t)~sum_of(6 + f->len - 34, ip + 12, 8), load_be16(f->data + 34 + 16));
    assert_int_equal(f->offload.gso, FRAME_GSO_TCPV4);
    assert_int_equal(f->offload.gso_size, 1000);
    assert_int_equal(f->offload.hdr_len, 66);
    assert_true(f->offload.needs_csum && f->offload.csum_start == 34 &&
                f->offload.csum_offset == 16);
    forget(s.out, &s.n_out);
    assert_int_equal(frame_alive(), 0);
}

static void no_frame_is_longer_than_an_ip_packet(void **state)
{
    struct flow w = flow(false);
    (void)state;

    for (unsigned i = 0; i < 91; i++)
        come(segment(&w, w.mss, ACK));
    assert_int_equal(pass(), 3); /* 45 of 1448 bytes are 65160 */
    w.mss = 9000;
    for (unsigned i = 0; i < 7; i++)
        come(segment(&w, w.mss, ACK));
    come(segment(&w, 65535 - 52 - 63000, ACK)); /* just fits */
    assert_int_equal(pass(), 1);
    for (unsigned i = 0; i < 7; i++)
        come(segment(&w, w.mss, ACK));
    come(segment(&w, 65535 - 52 - 63000 + 1, ACK));
    assert_int_equal(pass(), 2);
}

/* Something that makes a segment no follower, or no segment to follow. */
static void spoil(struct frame *f, unsigned how)
{
    uint8_t *ip = f->data + l3_of(f), *tcp = f->data + l4_of(f);
    bool v6 = ip[0] >> 4 == 6;

    switch (how) {
    case 0: tcp[17] ^= 1; return;             /* a wrong sum... */
    case 1: f->data[f->len - 1] ^= 4; return; /* ...of data */
    case 2: ip[v6 ? 7 : 10] ^= 1; break;      /* hop limit; for IPv4 made good again */
    case 3: tcp[13] |= 0x20; break;           /* URG */
    case 4: tcp[13] |= 0x01; break;           /* FIN */
    case 5: tcp[13] |= 0x80; break;           /* CWR */
    case 6: tcp[13] &= (uint8_t)~ACK; break;
    case 7: tcp[15]++; break;               /* window */
    case 8: tcp[11]++; break;               /* acknowledgement */
    case 9: tcp[20]++; break;               /* an option */
    case 10: tcp[19]++; break;              /* urgent pointer */
    case 11: tcp[7]++; break;               /* sequence number */
    case 12: tcp[1]++; break;               /* port */
    case 13: ip[1] ^= 0x10; break;          /* class */
    case 14: ip[v6 ? 3 : 5]++; break;       /* flow label; identification */
    case 15: ip[v6 ? 7 : 8]--; break;       /* hop limit, TTL */
    case 16: f->data[11]++; return;         /* MAC */
    case 17: ip[6] ^= v6 ? 1 : 0x20; break; /* next header; a fragment */
    case 18: tcp[12]++; break;              /* a reserved bit */
    case 19: ip[v6 ? 39 : 19] += 8; break;  /* address */
    default: f->len--; return;              /* cut short */
    }
    sums_make(f);
}

#define SPOILS 21

static void what_differs_stays_as_it_came(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned how = 0; how < SPOILS; how++) {
            struct flow w = flow(v6);
            unsigned spoilt = 3, n;
            for (unsigned i = 0; i < 8; i++)
                come(segment(&w, w.mss, ACK));
            spoil(s.in[spoilt], how);
            n = pass();
            if (how == 2 && !v6)
                assert_int_equal(n, 1); /* sums_make has mended it */
            else
                assert_int_equal(n, 3); /* three, it, four */
        }
}

static void wrong_sums_of_all_stay_wrong(void **state)
{
    struct flow w = flow(false);
    (void)state;

    for (unsigned i = 0; i < 8; i++) {
        come(segment(&w, w.mss, ACK));
        s.in[i]->data[14 + 10] ^= 1; /* IPv4's */
    }
    assert_int_equal(pass(), NONE_LARGE(8));
    for (unsigned i = 0; i < 8; i++) {
        come(segment(&w, w.mss, ACK));
        s.in[i]->data[34 + 16] ^= 1;
    }
    assert_int_equal(pass(), NONE_LARGE(8));
}

/* A receiver must put the packet together first. */
static void fragments_stay_as_they_came(void **state)
{
    struct flow w = flow(false);
    (void)state;

    for (unsigned i = 0; i < 8; i++) {
        struct frame *f = segment(&w, w.mss, ACK);
        f->data[14 + 6] |= 0x20;
        sums_make(f);
        come(f);
    }
    assert_int_equal(pass(), NONE_LARGE(8));
}

/* Ones' complement has two zeroes; only one of them is what a stack would send. */
static void a_sum_of_ones_stays_one(void **state)
{
    struct flow w = flow(false);
    struct frame *f;
    (void)state;

    for (unsigned i = 0; i < 4; i++) {
        come(f = segment(&w, w.mss, ACK));
        uint32_t sum = load_be16(f->data + 34 + 16) + load_be16(f->data + 66);
        store_be16(f->data + 66, (uint16_t)(sum + (sum >> 16))); /* so that it comes to zero */
        sums_make(f);
        assert_int_equal(load_be16(f->data + 34 + 16), 0);
    }
    assert_int_equal(pass(), 1);
    for (unsigned i = 0; i < 4; i++) {
        come(f = segment(&w, w.mss, ACK));
        uint32_t sum = load_be16(f->data + 34 + 16) + load_be16(f->data + 66);
        store_be16(f->data + 66, (uint16_t)(sum + (sum >> 16)));
        store_be16(f->data + 34 + 16, 0xffff);
    }
    assert_int_equal(pass(), NONE_LARGE(4));
}

static void tags_pushes_and_short_ones_end_a_run(void **state)
{
    struct flow w = flow(false), tagged = flow(false), other = flow(false);
    (void)state;

    tagged.tagged = true;
    other.number = 3;
    for (unsigned i = 0; i < 5; i++)
        come(segment(&tagged, w.mss, ACK));
    assert_int_equal(pass(), NONE_LARGE(5));
    for (unsigned i = 0; i < 6; i++)
        come(segment(&w, w.mss, i == 2 ? ACK | PSH : ACK));
    assert_int_equal(pass(), 2);
    for (unsigned i = 0; i < 6; i++)
        come(segment(&w, i == 2 ? 700u : w.mss, ACK));
    assert_int_equal(pass(), 2);
    for (unsigned i = 0; i < 6; i++) /* nothing overtakes */
        come(segment(i % 2 ? &w : &other, w.mss, ACK));
    assert_int_equal(pass(), NONE_LARGE(6));
    for (unsigned i = 0; i < 4; i++) /* no data */
        come(segment(&w, 0, ACK));
    assert_int_equal(pass(), NONE_LARGE(4));
}

/* A sum that was found right need not be looked at by the receiver; others must be. */
static void a_lone_segment_is_vouched_for_if_it_is_right(void **state)
{
    struct coalesce c = {.emit = keep_out};
    struct flow w = flow(true);
    (void)state;

    coalesce_add(&c, segment(&w, 10, ACK | PSH));
    struct frame *bad = segment(&w, 10, ACK | PSH);
    bad->data[bad->len - 1]++;
    coalesce_add(&c, bad);
    coalesce_flush(&c);
    assert_int_equal(s.n_out, 2);
    assert_true(s.out[0]->offload.csum_valid);
    assert_false(s.out[1]->offload.csum_valid);
    forget(s.out, &s.n_out);
}

/* --- at random --- */

static struct frame *random_frame(struct rng *r, struct flow *flows, unsigned n)
{
    struct flow *w = &flows[rng_next(r) % 8 ? 0 : rng_next(r) % n];
    uint32_t len = rng_next(r) % 10 ? w->mss : (uint32_t)(rng_next(r) % (2u * w->mss));
    struct frame *f = segment(w, len, (uint8_t)(ACK | (rng_next(r) % 12 ? 0 : PSH)));

    if (rng_next(r) % 10 == 0)
        spoil(f, (unsigned)(rng_next(r) % SPOILS));
    else if (rng_next(r) % 20 == 0) /* any bit at all */
        f->data[rng_next(r) % f->len] ^= (uint8_t)(1u << rng_next(r) % 8);
    else if (rng_next(r) % 40 == 0)
        f->len = 14 + (uint32_t)(rng_next(r) % (f->len - 14));
    return f;
}

static void random_streams_come_out_as_they_came(void **state)
{
    struct rng r;
    unsigned saved = 0;
    (void)state;

    rng_init(&r, 1, "coalesce");
    for (unsigned round = 0; round < 400; round++) {
        struct flow flows[4];
        for (unsigned i = 0; i < 4; i++)
            flows[i] = (struct flow){.v6 = rng_next(&r) % 2,
                                     .tagged = rng_next(&r) % 8 == 0,
                                     .options = (unsigned)(rng_next(&r) % 6) * 4 + 4,
                                     .seq = (uint32_t)rng_next(&r),
                                     .id = (uint16_t)rng_next(&r),
                                     .mss = (uint16_t)(20 + rng_next(&r) % 1500),
                                     .number = (uint8_t)(i + 2)};
        for (unsigned i = 0; i < 100; i++)
            come(random_frame(&r, flows, 4));
        for (unsigned i = 0; i < 4; i++) { /* reordered */
            unsigned a = rng_next(&r) % 99;
            struct frame *f = s.in[a];
            s.in[a] = s.in[a + 1];
            s.in[a + 1] = f;
        }
        unsigned n = pass();
        saved += n < MOST ? 100 - n : 0;
    }
    assert_true(saved > 400 * 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_becomes_one_frame),
        cmocka_unit_test(the_frame_is_what_a_nic_is_given),
        cmocka_unit_test(no_frame_is_longer_than_an_ip_packet),
        cmocka_unit_test(what_differs_stays_as_it_came),
        cmocka_unit_test(wrong_sums_of_all_stay_wrong),
        cmocka_unit_test(fragments_stay_as_they_came),
        cmocka_unit_test(a_sum_of_ones_stays_one),
        cmocka_unit_test(tags_pushes_and_short_ones_end_a_run),
        cmocka_unit_test(a_lone_segment_is_vouched_for_if_it_is_right),
        cmocka_unit_test(random_streams_come_out_as_they_came),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
