/* A pcnet with rings of each layout, brought up as a driver does. */
#include "pcnet_rig.h"

unsigned style;
bool wide_registers, only_high;
uint32_t block, rx_ring, tx_ring, buffers, payload, tx_next;
const uint8_t everyone[ETH_ALEN] = {255, 255, 255, 255, 255, 255};
const uint8_t group[ETH_ALEN] = {1, 0, 0x5e, 0, 0, 0xfb};
const uint8_t stranger[ETH_ALEN] = {2, 0, 0, 0, 0, 0x77};

/* Style 0 can only name 16 MiB, so RAM is seen at 0 too, as it would be on a small machine. */
static bool (*ram_read)(struct dma *dma, uint64_t addr, void *buf, size_t len);
static bool (*ram_write)(struct dma *dma, uint64_t addr, const void *buf, size_t len);

static uint64_t in_ram(uint64_t addr)
{
    return addr < RIG_RAM_SIZE && !only_high ? addr + RIG_RAM_BASE : addr;
}

static bool low_read(struct dma *dma, uint64_t addr, void *buf, size_t len)
{
    return ram_read(dma, in_ram(addr), buf, len);
}

static bool low_write(struct dma *dma, uint64_t addr, const void *buf, size_t len)
{
    return ram_write(dma, in_ram(addr), buf, len);
}

unsigned width(void)
{
    return wide_registers ? 4 : 2;
}

static uint16_t indirect(unsigned at, unsigned n)
{
    card_write(0, RDP + width(), n, width());
    return (uint16_t)card_read(0, RDP + at * width(), width());
}

static void indirect_put(unsigned at, unsigned n, uint16_t value)
{
    card_write(0, RDP + width(), n, width());
    card_write(0, RDP + at * width(), value, width());
}

uint16_t csr(unsigned n)
{
    return indirect(0, n);
}

void put(unsigned n, uint16_t value)
{
    indirect_put(0, n, value);
}

uint16_t bcr(unsigned n)
{
    return indirect(3, n);
}

void bcr_put(unsigned n, uint16_t value)
{
    indirect_put(3, n, value);
}

uint32_t low(uint64_t at)
{
    return (uint32_t)(at - RIG_RAM_BASE);
}

uint8_t *at(uint32_t addr)
{
    return rig_at(&rig, addr + RIG_RAM_BASE);
}

/* --- descriptors, whatever their layout --- */

uint8_t *descriptor(uint32_t ring, uint32_t i)
{
    return at(ring + i * (style ? 16 : 8));
}

void give(uint32_t ring, uint32_t i, uint32_t address, uint32_t len, uint8_t status)
{
    uint8_t *w = descriptor(ring, i);
    uint16_t count = (uint16_t)(0xf000 | ((0x1000 - len) & 0xfff));

    if (style == 0) {
        store_le32(w, address | (uint32_t)status << 24);
        store_le16(w + 4, count);
        store_le16(w + 6, 0);
    } else {
        store_le32(w + (style == 3 ? 8 : 0), address);
        store_le32(w + 4, count | (uint32_t)status << 24);
        store_le32(w + (style == 3 ? 0 : 8), 0);
    }
}

uint8_t status_of(uint32_t ring, uint32_t i)
{
    return descriptor(ring, i)[style ? 7 : 3];
}

uint32_t message(uint32_t i)
{
    return load_le16(descriptor(rx_ring, i) + (style == 0 ? 6 : style == 3 ? 0 : 8));
}

/* --- bringing it up --- */

void block_fill(uint16_t mode)
{
    uint8_t *b = at(block);

    memset(b, 0, 28);
    store_le16(b, mode);
    if (style) {
        b[2] = CODE << 4;
        b[3] = CODE << 4;
        memcpy(b + 4, own, ETH_ALEN);
        store_le32(b + 20, rx_ring);
        store_le32(b + 24, tx_ring);
    } else {
        memcpy(b + 2, own, ETH_ALEN);
        store_le32(b + 16, rx_ring | (uint32_t)CODE << 29);
        store_le32(b + 20, tx_ring | (uint32_t)CODE << 29);
    }
}

void start(uint16_t mode)
{
    put(0, STOP);
    block_fill(mode);
    for (uint32_t i = 0; i < N; i++) {
        give(rx_ring, i, buffers + BUFFER * i, BUFFER, OWN);
        give(tx_ring, i, 0, 1, 0);
    }
    put(1, (uint16_t)block);
    put(2, (uint16_t)(block >> 16));
    put(0, INIT | STRT);
    put(0, IDON);
    tx_next = 0;
}

static void bring_up(unsigned of_style, bool wide)
{
    card_start("pcnet");
    ram_read = rig.dma.read;
    ram_write = rig.dma.write;
    rig.dma.read = low_read;
    rig.dma.write = low_write;
    block = low(rig_alloc(&rig, 64));
    rx_ring = low(rig_alloc(&rig, N * 16));
    tx_ring = low(rig_alloc(&rig, N * 16));
    buffers = low(rig_alloc(&rig, N * BUFFER));
    payload = low(rig_alloc(&rig, 8192));
    only_high = false;
    style = of_style;
    wide_registers = wide;
    if (wide)
        card_write(0, RDP, 0, 4);
    bcr_put(20, (uint16_t)style);
    start(0);
}

int narrow(void **state)
{
    (void)state;
    bring_up(0, false);
    return 0;
}

int wide2(void **state)
{
    (void)state;
    bring_up(2, true);
    return 0;
}

int wide3(void **state)
{
    (void)state;
    bring_up(3, true);
    return 0;
}

int teardown(void **state)
{
    (void)state;
    card_finish();
    return 0;
}

void send_part(uint32_t address, uint32_t len, uint8_t status)
{
    give(tx_ring, tx_next, address, len, (uint8_t)(OWN | status));
    tx_next = (tx_next + 1) % N;
}

void demand(void)
{
    put(0, (uint16_t)(TDMD | (csr(0) & IENA)));
}

void send_frame(uint32_t len)
{
    card_fill(at(payload), len, stranger);
    send_part(payload, len, STP | ENP);
    demand();
}

void ack(void)
{
    put(0, (uint16_t)(0x7f00 | (csr(0) & IENA)));
}

bool aborted(void)
{
    unsigned card = 1u << 3;
    uint16_t extended = csr(5);
    bool abort = config_read(card, PCI_STATUS, 2) & PCI_STATUS_MASTER_ABORT;

    assert_int_equal(abort, !!(extended & SINT));
    put(5, extended);
    assert_false(csr(5) & SINT);
    config_write(card, PCI_STATUS, PCI_STATUS_MASTER_ABORT, 2);
    assert_false(config_read(card, PCI_STATUS, 2) & PCI_STATUS_MASTER_ABORT);
    return abort;
}
