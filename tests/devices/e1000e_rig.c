/* An e1000e with two rings each way, and packets for it. */
#include "e1000e_rig.h"

#include "sim/offload.h"

uint64_t tx_ring[2], rx_ring[2], buffers[2], payload;
const uint8_t stranger[ETH_ALEN] = {2, 0, 0, 0, 0, 0x77};

static const uint8_t v4_from[] = {66, 9, 149, 187}, v4_to[] = {161, 142, 100, 80};
const struct flow v4_tcp = {v4_from, v4_to, 2794, 1766, false, false};
const struct flow v4_udp = {v4_from, v4_to, 2794, 1766, false, true};
static const uint8_t v6_from[] = {0x3f, 0xfe, 0x25, 1, 2, 0, 0x1f, 0xff, 0, 0, 0, 0, 0, 0, 0, 7};
static const uint8_t v6_to[] = {0x3f, 0xfe, 0x25, 1, 2, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1};
const struct flow v6_tcp = {v6_from, v6_to, 2794, 1766, true, false};
const struct flow v6_udp = {v6_from, v6_to, 2794, 1766, true, true};

uint32_t get(unsigned reg)
{
    return (uint32_t)card_read(0, reg, 4);
}

void put(unsigned reg, uint32_t value)
{
    card_write(0, reg, value, 4);
}

void give_buffers(unsigned q)
{
    for (unsigned i = 0; i < N; i++) {
        store_le64(rig_at(&rig, rx_ring[q] + 16 * i), buffers[q] + 2048 * i);
        store_le64(rig_at(&rig, rx_ring[q] + 16 * i + 8), 0);
    }
}

static void ring_start(unsigned q)
{
    unsigned at = q * QUEUE;

    put(RDBAL + at, (uint32_t)rx_ring[q]);
    put(RDLEN + at, N * 16);
    put(RDH + at, 0);
    put(TDBAL + at, (uint32_t)tx_ring[q]);
    put(TDLEN + at, N * 16);
    give_buffers(q);
    put(RDT + at, N - 1);
}

void configure(void)
{
    put(CTRL, SLU);
    put(RFCTL, EXTEN);
    put(RXCSUM, IPOFL_TUOFL | PCSD);
    for (unsigned q = 0; q < 2; q++)
        ring_start(q);
    put(RCTL, EN | BAM | SECRC);
    put(TCTL, EN);
    get(ICR);
    put(IMC, 0xffffffff);
    get(ICR);
}

int setup(void **state)
{
    (void)state;
    card_start("e1000e");
    for (unsigned q = 0; q < 2; q++) {
        tx_ring[q] = rig_alloc(&rig, N * 16);
        rx_ring[q] = rig_alloc(&rig, N * 16);
        buffers[q] = rig_alloc(&rig, N * 2048);
    }
    payload = rig_alloc(&rig, 80000);
    configure();
    return 0;
}

int teardown(void **state)
{
    (void)state;
    card_finish();
    return 0;
}

const uint8_t *rx_at(unsigned q, unsigned unit)
{
    return rig_at(&rig, rx_ring[q] + 16 * unit);
}

uint32_t status_of(unsigned q, unsigned unit)
{
    return load_le32(rx_at(q, unit) + 8);
}

uint16_t length_of(unsigned q, unsigned unit)
{
    return load_le16(rx_at(q, unit) + 12);
}

void receive(struct frame *f)
{
    rig_receive(&rig, &nic->port, f);
    rig_advance(&rig, rig.actor.now + 20000);
    frame_unref(f);
}

struct frame *flow_packet(const struct flow *w, uint32_t data)
{
    uint32_t ip = w->v6 ? 40 : 20, l4 = w->udp ? 8 : 20, len = ETH_HLEN + ip + l4 + data;
    struct frame *f = frame_new(len);
    uint8_t *p = f->data, *t = p + ETH_HLEN + ip;

    f->len = len;
    card_fill(p, len, own);
    store_be16(p + 12, w->v6 ? 0x86dd : 0x0800);
    memset(p + ETH_HLEN, 0, ip + l4);
    if (w->v6) {
        p[14] = 0x60;
        store_be16(p + 18, (uint16_t)(l4 + data));
        p[20] = w->udp ? 17 : 6;
        memcpy(p + 22, w->from, 16);
        memcpy(p + 38, w->to, 16);
    } else {
        p[14] = 0x45;
        store_be16(p + 16, (uint16_t)(len - ETH_HLEN));
        store_be16(p + 18, 0x1234);
        p[22] = 64;
        p[23] = w->udp ? 17 : 6;
        memcpy(p + 26, w->from, 4);
        memcpy(p + 30, w->to, 4);
        store_be16(p + 24, inet_fold(inet_sum(0, p + 14, 20)));
    }
    store_be16(t, w->from_port);
    store_be16(t + 2, w->to_port);
    if (w->udp) {
        store_be16(t + 4, (uint16_t)(8 + data));
    } else {
        t[12] = 0x50;
        if (!w->v6)
            store_be16(t + 16, inet_fold(inet_sum(inet_sum(6 + len - 34, p + 26, 8), t, len - 34)));
    }
    return f;
}
