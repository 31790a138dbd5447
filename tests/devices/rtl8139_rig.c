/* An rtl8139 ready to send and to receive, either way. */
#include "rtl8139_rig.h"

uint64_t buffer, payload, tx_ring, rx_ring;
uint32_t tx_next;
const uint8_t everyone[ETH_ALEN] = {255, 255, 255, 255, 255, 255};
const uint8_t group[ETH_ALEN] = {1, 0, 0x5e, 0, 0, 0xfb};
const uint8_t stranger[ETH_ALEN] = {2, 0, 0, 0, 0, 0x77};

uint32_t get(unsigned reg, unsigned size)
{
    return (uint32_t)card_read(1, reg, size);
}

void put(unsigned reg, uint32_t value, unsigned size)
{
    card_write(1, reg, value, size);
}

uint16_t causes(void)
{
    uint16_t v = (uint16_t)get(ISR, 2);

    put(ISR, v, 2);
    return v;
}

static void start(const char *model)
{
    card_start(model);
    buffer = rig_alloc(&rig, SIZE + 4096);
    payload = rig_alloc(&rig, 80000);
    tx_ring = rig_alloc(&rig, 64 * 16);
    rx_ring = rig_alloc(&rig, 64 * 16);
    tx_next = 0;
}

/* --- the classic way --- */

int classic(void **state)
{
    (void)state;
    start("rtl8139c");
    put(CR, RST, 1);
    put(RBSTART, (uint32_t)buffer, 4);
    put(CR, TE | RE, 1);
    put(RCR, APM | AB | WRAP, 4);
    put(IMR, 0xffff, 2);
    return 0;
}

void classic_send(uint32_t len)
{
    card_fill(rig_at(&rig, payload), len, stranger);
    put(TSAD + 4 * tx_next, (uint32_t)payload, 4);
    put(TSD + 4 * tx_next, len, 4);
    tx_next = (tx_next + 1) % 4;
}

/* --- the rings of the C+ --- */

uint8_t *tx_at(uint32_t i)
{
    return rig_at(&rig, tx_ring + 16 * i);
}

uint8_t *rx_at(uint32_t i)
{
    return rig_at(&rig, rx_ring + 16 * i);
}

void give(uint32_t i, uint32_t size)
{
    store_le32(rx_at(i), OWN | (i == N - 1 ? EOR : 0) | size);
    store_le32(rx_at(i) + 4, 0);
    store_le64(rx_at(i) + 8, buffer + i * BUFFER);
}

int rings(void **state)
{
    (void)state;
    start("rtl8139");
    put(CR, RST, 1);
    put(CPCR, 3, 2);
    for (uint32_t i = 0; i < N; i++)
        give(i, BUFFER);
    put(TNPDS, (uint32_t)tx_ring, 4);
    put(RDSAR, (uint32_t)rx_ring, 4);
    put(CR, TE | RE, 1);
    put(RCR, APM | AB, 4);
    put(IMR, 0xffff, 2);
    return 0;
}

int teardown(void **state)
{
    (void)state;
    card_finish();
    return 0;
}

void part(uint64_t at, uint32_t len, uint32_t flags, uint32_t tag)
{
    store_le32(tx_at(tx_next), OWN | (tx_next == N - 1 ? EOR : 0) | flags | len);
    store_le32(tx_at(tx_next) + 4, tag);
    store_le64(tx_at(tx_next) + 8, at);
    tx_next = (tx_next + 1) % N;
}

void poll_rings(void)
{
    put(TPPOLL, 0x40, 1);
}
