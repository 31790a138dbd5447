/* A tulip with short rings, brought up as a driver does. */
#include "tulip_rig.h"

const uint8_t everyone[ETH_ALEN] = {255, 255, 255, 255, 255, 255};
const uint8_t group[ETH_ALEN] = {1, 0, 0x5e, 0, 0, 0xfb};
const uint8_t stranger[ETH_ALEN] = {2, 0, 0, 0, 0, 0x77};

uint32_t rx_ring, tx_ring, buffers, payload, setup_at, tx_next;

static uint32_t bus_mode; /* CSR0 */

uint32_t csr(unsigned n)
{
    return (uint32_t)card_read(1, n * 8, 4);
}

void put(unsigned n, uint32_t value)
{
    card_write(1, n * 8, value, 4);
}

uint8_t *at(uint32_t addr)
{
    return rig_at(&rig, addr);
}

void wait_ns(vtime_t ns)
{
    rig_advance(&rig, rig.actor.now + ns);
}

/* --- descriptors: where, and in the order of bytes that is set --- */

void word_put(uint32_t addr, uint32_t v)
{
    if (bus_mode & DBO)
        store_be32(at(addr), v);
    else
        store_le32(at(addr), v);
}

uint32_t word(uint32_t addr)
{
    return bus_mode & DBO ? load_be32(at(addr)) : load_le32(at(addr));
}

static uint32_t step(void)
{
    return 16 + (bus_mode & 0x7c);
}

void give_at(uint32_t addr, uint32_t control, uint32_t buffer1, uint32_t buffer2)
{
    word_put(addr + 4, control);
    word_put(addr + 8, buffer1);
    word_put(addr + 12, buffer2);
    word_put(addr, OWN);
}

void give(uint32_t ring, uint32_t i, uint32_t control, uint32_t buffer1)
{
    give_at(ring + i * step(), control | (i == N - 1 ? RING_END : 0), buffer1, 0);
}

uint32_t status(uint32_t ring, uint32_t i)
{
    return word(ring + i * step());
}

void rx_give(uint32_t i)
{
    give(rx_ring, i, BUFFER, buffers + BUFFER * i);
}

/* --- bringing it up --- */

void demand(void)
{
    put(1, 1);
}

void send_part(uint32_t control, uint32_t address)
{
    give(tx_ring, tx_next, control, address);
    tx_next = (tx_next + 1) % N;
}

void send_frame(uint32_t len)
{
    card_fill(at(payload), len, stranger);
    send_part(FS | LS | IC | len, payload);
    demand();
}

void ack(void)
{
    put(5, ALL);
}

void setup_entry(uint32_t place, const uint8_t *mac)
{
    uint8_t *p = at(setup_at) + place;

    for (unsigned i = 0; i < ETH_ALEN; i++)
        p[i / 2 * 4 + i % 2] = mac[i];
}

void setup_send(uint32_t type)
{
    send_part(SETUP | type | 192, setup_at);
    demand();
}

void setup_perfect(const uint8_t *a, const uint8_t *b, uint32_t type)
{
    for (unsigned i = 0; i < 16; i++)
        setup_entry(i * 12, i ? b : a);
    setup_send(type);
}

void start(uint32_t bus, uint32_t mode)
{
    put(0, SWR);
    put(0, bus);
    bus_mode = bus;
    tx_next = 0;
    for (uint32_t i = 0; i < N; i++) {
        rx_give(i);
        word_put(tx_ring + i * step(), 0);
    }
    put(3, rx_ring);
    put(4, tx_ring);
    put(6, ST);
    setup_perfect(own, everyone, 0);
    put(6, ST | SR | mode);
    ack();
}

int setup(void **state)
{
    (void)state;
    card_start("tulip");
    rx_ring = (uint32_t)rig_alloc(&rig, 4096);
    tx_ring = (uint32_t)rig_alloc(&rig, 4096);
    buffers = (uint32_t)rig_alloc(&rig, N * BUFFER);
    payload = (uint32_t)rig_alloc(&rig, 16384);
    setup_at = (uint32_t)rig_alloc(&rig, 192);
    start(0, 0);
    return 0;
}

int teardown(void **state)
{
    (void)state;
    card_finish();
    return 0;
}

/* --- management frames --- */

unsigned mii_bit(unsigned wires)
{
    put(9, wires);
    unsigned out = csr(9) >> 19 & 1;
    put(9, wires | 1 << 16);
    return out;
}

void mii_out(uint32_t bits, unsigned n)
{
    while (n-- > 0)
        mii_bit(bits >> n & 1 ? 1u << 17 : 0);
}

void mii_put(unsigned phy, unsigned reg, uint16_t value)
{
    mii_out(~0u, 32);
    mii_out(5u << 28 | phy << 23 | reg << 18 | 2u << 16 | value, 32);
    mii_bit(1 << 18);
}
