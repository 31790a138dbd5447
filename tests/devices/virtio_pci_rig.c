/* A virtio-net-pci with three queues or more, set up by hand through either interface. */
#include "virtio_pci_rig.h"

uint64_t desc[QUEUES_MOST], avail[QUEUES_MOST], used[QUEUES_MOST], payload;
uint16_t offered[QUEUES_MOST];

uint32_t get(unsigned reg, unsigned size)
{
    return (uint32_t)card_read(MODERN, reg, size);
}

void put(unsigned reg, uint32_t value, unsigned size)
{
    card_write(MODERN, reg, value, size);
}

void memory(void)
{
    memset(offered, 0, sizeof(offered));
    for (unsigned q = 0; q < QUEUES_MOST; q++) {
        desc[q] = rig_alloc(&rig, 4096);
        avail[q] = rig_alloc(&rig, 4096);
        used[q] = rig_alloc(&rig, 4096);
    }
    payload = rig_alloc(&rig, 80000);
}

void features(uint64_t wanted)
{
    put(STATUS, 0, 1);
    put(STATUS, ACKNOWLEDGE, 1);
    put(STATUS, ACKNOWLEDGE | DRIVER, 1);
    for (unsigned half = 0; half < 2; half++) {
        put(ACCEPT_SELECT, half, 4);
        put(ACCEPT, (uint32_t)(wanted >> 32 * half), 4);
    }
    put(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK, 1);
}

void queues_place(unsigned n)
{
    for (unsigned q = 0; q < n; q++) {
        put(SELECT, q, 2);
        put(SIZE, N, 2);
        put(DESC, (uint32_t)desc[q], 4);
        put(AVAIL, (uint32_t)avail[q], 4);
        put(USED, (uint32_t)used[q], 4);
        put(ENABLE, 1, 2);
    }
}

void queues(void)
{
    queues_place(3);
}

int setup(void **state)
{
    (void)state;
    card_start("virtio-net-pci");
    memory();
    features(1ULL << 32 | VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_CTRL_VQ);
    queues();
    put(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK, 1);
    return 0;
}

int fresh(void **state)
{
    (void)state;
    card_start("virtio-net-pci");
    memory();
    return 0;
}

int transitional(void **state)
{
    (void)state;
    card_start_with("virtio-net-pci", (struct nic_config){.legacy = true});
    memory();
    return 0;
}

int teardown(void **state)
{
    (void)state;
    card_finish();
    return 0;
}

/* Offer a buffer, which the device reads, or fills (flag 2). */
void offer(unsigned q, uint64_t addr, uint32_t len, uint16_t flags)
{
    uint8_t *d = rig_at(&rig, desc[q] + 16 * (offered[q] % N));

    store_le64(d, addr);
    store_le32(d + 8, len);
    store_le16(d + 12, flags);
    store_le16(d + 14, 0);
    store_le16(rig_at(&rig, avail[q] + 4 + 2 * (offered[q] % N)), offered[q] % N);
    store_le16(rig_at(&rig, avail[q] + 2), ++offered[q]);
}

uint16_t done(unsigned q)
{
    return load_le16(rig_at(&rig, used[q] + 2));
}

void transmit(unsigned header, uint32_t len)
{
    memset(rig_at(&rig, payload), 0, header);
    card_fill(rig_at(&rig, payload + header), len, own);
    offer(TX, payload, header + len, 0);
}

uint32_t legacy_get(unsigned reg, unsigned size)
{
    return (uint32_t)card_read(LEGACY, reg, size);
}

void legacy_put(unsigned reg, uint32_t value, unsigned size)
{
    card_write(LEGACY, reg, value, size);
}

/* The rings of a legacy queue lie behind each other. */
void legacy_rings(unsigned q)
{
    uint32_t size;

    legacy_put(L_SELECT, q, 2);
    size = legacy_get(L_SIZE, 2);
    desc[q] = rig_alloc(&rig, 16 * size + 6 + 2 * size + 4096 + 8 * size + 6);
    avail[q] = desc[q] + 16 * size;
    used[q] = (avail[q] + 6 + 2 * size + 4095) & ~4095ULL;
    legacy_put(L_ADDRESS, (uint32_t)(desc[q] >> 12), 4);
    assert_int_equal(legacy_get(L_ADDRESS, 4), desc[q] >> 12);
}

int with_pairs(void **state)
{
    (void)state;
    card_start_with("virtio-net-pci",
                    (struct nic_config){.legacy = true, .queues = 4, .vectors = 12});
    memory();
    return 0;
}
