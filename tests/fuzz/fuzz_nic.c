/*
 * Any bytes as a program for a card, of the model NIC_MODEL: registers, rings, frames, time.
 *
 * An operation is a byte, whose lower half says what it is, and its arguments, little-endian:
 *
 *     0 1 2  write 1, 2, 4 bytes: offset 16, value; the upper half is the BAR
 *     3      read: offset 16; of upper half % 4 the size's logarithm, of the rest the BAR
 *     4      bytes into memory: address 16 (times 2), n 8, bytes; all of it (upper half) times more
 *     5      a frame arrives: length 16, for whom (upper half)
 *     6      the same with an offload request: length 16, start 16, offset 8, gso 8, mss 16, header
 * 8 7      an IPv4 packet arrives: length 16, protocol 8, header words 8, flags (upper half) 8 time
 * passes: 2^(upper half * 2) ns, and all of it once more as often as the next byte says 9      the
 * carrier comes or goes 10     a reset 11     it goes on as a clone 12     configuration space:
 * offset 8, value 16 13     what it sent last comes back, as it left 14     4 bytes to a register,
 * times (upper half): offset 16, value 32, what is added to the value 16 15     what it sent last
 * comes back, cut: length 16
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
    unsigned op = take(g, 1), arg = op >> 4, size;
    uint64_t offset;

    op &= 15;
    switch (op) {
    case 0:
    case 1:
    case 2:
        offset = offset_of(g, arg % PCI_BARS, 1u << op);
        nic_rig_write(g->r, arg % PCI_BARS, offset, take(g, 1u << op), 1u << op);
        break;
    case 3:
        size = 1u << arg % 4;
        offset = offset_of(g, arg / 4, size);
        nic_rig_read(g->r, arg / 4, offset, size);
        break;
    case 4: memory_put(g, arg); break;
    case 5: receive(g, frame_make(g, arg)); break;
    case 6: offloaded_receive(g, arg); break;
    case 7: ip_receive(g, arg); break;
    case 8: time_pass(g, arg); break;
    case 9: carrier_change(g); break;
    case 10: device_reset(&g->r->nic->dev); break;
    case 11: go_on_as_clone(g); break;
    case 12: config_access(g, arg); break;
    case 13: last_receive(g, FRAME_MAX_LEN); break;
    case 14: write_again(g, arg); break;
    default: last_receive(g, take(g, 2)); break;
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
