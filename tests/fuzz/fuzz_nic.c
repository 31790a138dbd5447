/*
 * Any bytes as a program for a card, of the model NIC_MODEL: registers, rings, frames, time.
 *
 * An operation is a byte, whose lower half says what it is (enum operation), and its arguments: `x`
 * is the upper half, and what follows has so many bits each, little-endian.
 *
 * What must hold whatever they are: nothing is left over, no frame is longer than frames are, and
 * no operation takes long (nic_rig.h).
 *
 * Built with: tests/fuzz/nic_rig.c sim/[a-z]*.c devices/[a-z]*.c
 */
#include <assert.h>

#include "sim/offload.h"
#include "tests/fuzz/nic_rig.h"

#ifndef NIC_MODEL
#error "NIC_MODEL is the card's name"
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum operation {
    WRITE_1, /* to BAR x: offset 16, value 8 */
    WRITE_2,
    WRITE_4,
    READ,          /* 2^(x % 4) bytes of the BAR that is x / 4th: offset 16 */
    MEMORY,        /* bytes into memory, x times more: address / 2 16, number 8, the bytes */
    FRAME,         /* arrives, for whom x says: length 16 */
    FRAME_OFFLOAD, /* with a request: length 16, start 16, offset 8, GSO 8, MSS 16, header 8 */
    FRAME_IP,      /* of IPv4, with flags x: length 16, protocol 8, header words 8 */
    TIME,          /* 2^(2 * x) ns pass, n times more: n 8 */
    CARRIER,       /* comes or goes */
    RESET,         /* the machine's */
    CLONE,         /* it goes on as one */
    CONFIGURATION, /* is read, or written if x: offset 8, value 16 */
    LAST,          /* what it sent last comes back, as it left */
    WRITE_4_AGAIN, /* to BAR 0, x times more: offset 16, value 32, what is added each time 16 */
    LAST_CUT,      /* what it sent last comes back: length 16 */
};

struct program {
    const uint8_t *p, *end;
    struct sim sim;
    struct nic_rig rigs[2], *r;
    unsigned made;      /* rigs there have been */
    struct frame *last; /* that was sent, or NULL */
};

/* --- arguments: zeroes behind the end --- */

static uint32_t take(struct program *g, unsigned bytes)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < bytes && g->p < g->end; i++)
        v |= (uint32_t)*g->p++ << 8 * i;
    return v;
}

/* An offset that is inside, whatever the number. */
static uint64_t offset_of(struct program *g, unsigned bar, unsigned size)
{
    uint64_t all = nic_rig_size(g->r, bar), at = take(g, 2);

    if (all > 0x10000)
        at *= 4;
    return all ? at % all & ~(uint64_t)(size - 1) : 0;
}

/* The n-th of the BARs that there are. */
static unsigned bar_nth(const struct nic_rig *r, unsigned n)
{
    unsigned there[PCI_BARS] = {0}, count = 0;

    for (unsigned bar = 0; bar < PCI_BARS; bar++)
        if (nic_rig_size(r, bar))
            there[count++] = bar;
    return count ? there[n % count] : 0;
}

/* --- what was sent --- */

static void count(void *opaque, struct frame *packet)
{
    assert(packet->len <= FRAME_MAX_LEN);
    (void)packet;
    ++*(unsigned *)opaque;
}

static void sent_check(struct program *g)
{
    for (uint32_t i = 0; i < g->r->actor.n_out; i++) {
        struct frame *f = g->r->actor.outbox[i].frame;
        unsigned n = 0;
        assert(f->len >= ETH_HLEN && f->len <= FRAME_MAX_LEN && f->len <= f->cap);
        if (i < 4)
            offload_finish(f, count, &n);
        if (i == 0) {
            frame_unref(g->last);
            g->last = frame_ref(f);
        }
    }
    nic_rig_forget(g->r);
}

/* --- frames that arrive --- */

static void address_put(struct program *g, uint8_t *to, unsigned whom)
{
    static const uint8_t others[][ETH_ALEN] = {
        {255, 255, 255, 255, 255, 255}, {1, 0, 0x5e, 0, 0, 0xfb}, {2, 0, 0, 0, 0, 0x77}};

    memcpy(to, whom % 4 ? others[whom % 4 - 1] : g->r->nic->config.mac, ETH_ALEN);
}

static struct frame *frame_make(struct program *g, unsigned whom)
{
    uint32_t len = take(g, 2);
    struct frame *f = frame_new(MAX(len, (uint32_t)ETH_HLEN));

    f->len = MAX(len, (uint32_t)ETH_HLEN);
    memset(f->data, 0x5a, f->len);
    address_put(g, f->data, whom);
    store_be16(f->data + 12, whom & 4 ? 0x8100 : 0x88b5);
    return f;
}

static void receive(struct program *g, struct frame *f)
{
    nic_rig_receive(g->r, f);
    frame_unref(f);
}

static void offloaded_receive(struct program *g, unsigned whom)
{
    struct frame *f = frame_make(g, whom);
    struct frame_offload *o = &f->offload;

    o->needs_csum = whom & 8;
    o->csum_start = (uint16_t)take(g, 2);
    o->csum_offset = (uint8_t)take(g, 1);
    o->gso = take(g, 1) & 3;
    uint32_t size = take(g, 2);
    o->gso_size = (uint16_t)MAX(size, 256u); /* shorter ones are many packets, which is work */
    o->hdr_len = (uint8_t)take(g, 1);
    receive(g, f);
}

static void ip_receive(struct program *g, unsigned flags)
{
    struct frame *f = frame_make(g, 0);
    uint8_t proto = (uint8_t)take(g, 1), words = (uint8_t)take(g, 1), *ip = f->data + ETH_HLEN;

    if (f->len >= ETH_HLEN + 40) {
        store_be16(f->data + 12, 0x0800);
        memset(ip, 0, 40);
        ip[0] = 0x40 | (words & 15);
        store_be16(ip + 2, (uint16_t)(f->len - ETH_HLEN));
        store_be16(ip + 6, flags & 1 ? 0x2000 : 0);
        ip[9] = proto;
        ip[32] = (uint8_t)(words & 0xf0);
    }
    f->offload.csum_valid = flags & 2;
    if (flags & 4)
        f->offload = (struct frame_offload){.needs_csum = true,
                                            .csum_start = 34,
                                            .csum_offset = proto == 17 ? 6 : 16,
                                            .gso = flags & 8 ? FRAME_GSO_TCPV4 : FRAME_GSO_NONE,
                                            .gso_size = 1000,
                                            .hdr_len = 54};
    receive(g, f);
}

static void last_receive(struct program *g, uint32_t len)
{
    struct frame *f;

    if (!g->last)
        return;
    f = frame_new(g->last->len);
    f->len = MAX(MIN(len, g->last->len), (uint32_t)ETH_HLEN);
    memcpy(f->data, g->last->data, f->len);
    f->offload = g->last->offload;
    address_put(g, f->data, 0);
    receive(g, f);
}

/* --- the other operations --- */

static void memory_put(struct program *g, unsigned times)
{
    uint32_t at = take(g, 2) * 2, n = take(g, 1), there = (uint32_t)(g->end - g->p);

    n = MIN(n, there);
    for (unsigned i = 0; i <= times; i++, at += n)
        if (at + n <= NIC_RAM)
            memcpy(g->r->ram + at, g->p, n);
    g->p += n;
}

static void write_again(struct program *g, unsigned times)
{
    uint64_t offset = offset_of(g, 0, 4);
    uint32_t value = take(g, 4), step = take(g, 2);

    for (unsigned i = 0; i <= times; i++, value += step)
        nic_rig_write(g->r, 0, offset, value, 4);
}

static void time_pass(struct program *g, unsigned log)
{
    unsigned times = take(g, 1) % 8;

    for (unsigned i = 0; i <= times; i++)
        nic_rig_advance(g->r, g->r->actor.now + ((vtime_t)1 << MIN(2 * log, 27u)));
}

static void go_on_as_clone(struct program *g)
{
    struct nic_rig *other = g->r == &g->rigs[0] ? &g->rigs[1] : &g->rigs[0];

    if (g->made >= 6)
        return;
    nic_rig_init(other, &g->sim, NIC_MODEL, g->made++);
    nic_rig_clone(other, g->r);
    nic_rig_finish(g->r);
    g->r = other;
}

static void config_access(struct program *g, bool write)
{
    uint32_t at = take(g, 1), value = take(g, 2);

    if (!g->r->nic->pci)
        return;
    if (write)
        pci_config_write(g->r->nic->pci, at & ~1u, value, 2);
    else
        pci_config_read(g->r->nic->pci, at & ~3u, 4);
}

static void carrier_change(struct program *g)
{
    port_set_up(&g->r->nic->port, !g->r->nic->port.up);
    nic_rig_advance(g->r, g->r->actor.now);
}

static void step(struct program *g)
{
    uint8_t first = (uint8_t)take(g, 1);
    unsigned x = first >> 4, size, bar;
    uint64_t offset;

    switch ((enum operation)(first & 15)) {
    case WRITE_1:
    case WRITE_2:
    case WRITE_4:
        size = 1u << (first & 15);
        offset = offset_of(g, x % PCI_BARS, size);
        nic_rig_write(g->r, x % PCI_BARS, offset, take(g, size), size);
        break;
    case READ:
        size = 1u << x % 4;
        bar = bar_nth(g->r, x / 4);
        offset = offset_of(g, bar, size);
        nic_rig_read(g->r, bar, offset, size);
        break;
    case MEMORY: memory_put(g, x); break;
    case FRAME: receive(g, frame_make(g, x)); break;
    case FRAME_OFFLOAD: offloaded_receive(g, x); break;
    case FRAME_IP: ip_receive(g, x); break;
    case TIME: time_pass(g, x); break;
    case CARRIER: carrier_change(g); break;
    case RESET: device_reset(&g->r->nic->dev); break;
    case CLONE: go_on_as_clone(g); break;
    case CONFIGURATION: config_access(g, x); break;
    case LAST: last_receive(g, FRAME_MAX_LEN); break;
    case WRITE_4_AGAIN: write_again(g, x); break;
    case LAST_CUT: last_receive(g, take(g, 2)); break;
    }
    sent_check(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sim_options o = {.seed = 1, .threads = 1};
    struct program g = {.p = data, .end = data + MIN(size, (size_t)2048)};

    sim_init(&g.sim, &o);
    g.r = &g.rigs[0];
    nic_rig_init(g.r, &g.sim, NIC_MODEL, g.made++);
    while (g.p < g.end)
        step(&g);
    frame_unref(g.last);
    nic_rig_finish(g.r);
    sim_finish(&g.sim);
    assert(frame_alive() == 0);
    return 0;
}
