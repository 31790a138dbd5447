/* An e1000 with its rings and buffers, ready to send and to receive. */
#include "e1000_rig.h"

#include "sim/offload.h"

uint64_t tx_ring, rx_ring, buffers, payload;
uint32_t tail;
const uint8_t everyone[ETH_ALEN] = {255, 255, 255, 255, 255, 255};
const uint8_t group[ETH_ALEN] = {1, 0, 0x5e, 0, 0, 0xfb};
const uint8_t stranger[ETH_ALEN] = {2, 0, 0, 0, 0, 0x77};

uint32_t get(unsigned reg)
{
    return (uint32_t)card_read(0, reg, 4);
}

void put(unsigned reg, uint32_t value)
{
    card_write(0, reg, value, 4);
}

void configure(void)
{
    put(CTRL, SLU);
    put(RDBAL, (uint32_t)rx_ring);
    put(RDLEN, N * 16);
    put(RDH, 0);
    put(TDBAL, (uint32_t)tx_ring);
    put(TDLEN, N * 16);
    put(TDH, 0);
    for (unsigned i = 0; i < N; i++)
        store_le64(rig_at(&rig, rx_ring + 16 * i), buffers + 2048 * i);
    put(RDT, N - 1);
    put(RCTL, EN | BAM | SECRC);
    put(TCTL, EN);
    get(ICR);
    tail = 0;
}

static int start(const char *model)
{
    card_start(model);
    tx_ring = rig_alloc(&rig, N * 16);
    rx_ring = rig_alloc(&rig, N * 16);
    buffers = rig_alloc(&rig, N * 2048);
    payload = rig_alloc(&rig, 80000);
    configure();
    return 0;
}

int setup(void **state)
{
    (void)state;
    return start("e1000");
}

int setup_82544(void **state)
{
    (void)state;
    return start("e1000-82544gc");
}

int teardown(void **state)
{
    (void)state;
    card_finish();
    return 0;
}

void descriptor(uint64_t low, uint32_t second, uint32_t third)
{
    uint8_t *w = rig_at(&rig, tx_ring + 16 * tail);

    store_le64(w, low);
    store_le32(w + 8, second);
    store_le32(w + 12, third);
    tail = (tail + 1) % N;
}

void send_all(void)
{
    put(TDT, tail);
}

const uint8_t *rx_at(unsigned i)
{
    return rig_at(&rig, rx_ring + 16 * i);
}

uint32_t tcp_packet(uint32_t data, bool lengths)
{
    uint8_t *p = rig_at(&rig, payload);
    uint32_t len = 54 + data;

    card_fill(p, len, stranger);
    store_be16(p + 12, 0x0800);
    memset(p + 14, 0, 40);
    p[14] = 0x45;
    store_be16(p + 16, lengths ? (uint16_t)(len - 14) : 0);
    p[22] = 64;
    p[23] = 6;
    store_be32(p + 26, 0x0a000001);
    store_be32(p + 30, 0x0a000002);
    p[46] = 0x50;
    p[47] = 0x18;
    store_be16(p + 50, (uint16_t)~inet_fold(inet_sum(6 + (lengths ? 20 + data : 0), p + 26, 8)));
    return len;
}

void context(uint32_t mss, uint32_t hdrlen, uint32_t data, uint32_t tucmd)
{
    descriptor(14 | 24 << 8 | 33ull << 16 | 34ull << 32 | 50ull << 40, data | tucmd << 24 | DEXT,
               hdrlen << 8 | mss << 16);
}

unsigned n_segments;
uint32_t segment_bytes;

void check_segment(void *opaque, struct frame *f)
{
    (void)opaque;
    assert_int_equal(load_be16(f->data + 16), f->len - 14);
    assert_int_equal(inet_fold(inet_sum(0, f->data + 14, 20)), 0);
    assert_int_equal(
        inet_fold(inet_sum(inet_sum(6 + f->len - 34, f->data + 26, 8), f->data + 34, f->len - 34)),
        0);
    n_segments++;
    segment_bytes += f->len - 54;
}
