/* A virtio-net-pci with three queues or more, set up by hand through either interface. */
#ifndef TESTS_DEVICES_VIRTIO_PCI_RIG_H
#define TESTS_DEVICES_VIRTIO_PCI_RIG_H

#include "pci_rig.h"

#include "devices/virtio_net.h"

#define CARD (1u << 3)
#define MODERN 4 /* BARs */
#define LEGACY 0
#define TABLE 1
#define N 8
enum { RX, TX, CTRL };
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, NEEDS_RESET = 64 };
/* Common configuration (virtio 1.2, 4.1.4.3). */
enum {
    OFFER_SELECT = 0,
    OFFER = 4,
    ACCEPT_SELECT = 8,
    ACCEPT = 12,
    CONFIG_VECTOR = 16,
    QUEUES = 18,
    STATUS = 20,
    GENERATION = 21,
    SELECT = 22,
    SIZE = 24,
    VECTOR = 26,
    ENABLE = 28,
    NOTIFY_OFF = 30,
    DESC = 32,
    AVAIL = 40,
    USED = 48,
    ISR = 0x1000,
    CONFIG = 0x2000,
    NOTIFY = 0x3000,
};
/* The legacy interface (4.1.4.8). */
enum {
    L_OFFER = 0,
    L_ACCEPT = 4,
    L_ADDRESS = 8,
    L_SIZE = 12,
    L_SELECT = 14,
    L_NOTIFY = 16,
    L_STATUS = 18,
    L_ISR = 19,
    L_CONFIG = 20
};

#define QUEUES_MOST 9

/* Of each queue: its parts, and how many buffers were offered. */
extern uint64_t desc[QUEUES_MOST], avail[QUEUES_MOST], used[QUEUES_MOST];
extern uint16_t offered[QUEUES_MOST];
extern uint64_t payload; /* 80,000 bytes */

/** A register of the modern interface. */
uint32_t get(unsigned reg, unsigned size);
void put(unsigned reg, uint32_t value, unsigned size);
/** A register of the legacy interface. */
uint32_t legacy_get(unsigned reg, unsigned size);
void legacy_put(unsigned reg, uint32_t value, unsigned size);

/** Memory for the rings and the payload. */
void memory(void);
/** As a driver does: up to FEATURES_OK; the first n queues, or three; the rings of a legacy queue.
 */
void features(uint64_t wanted);
void queues_place(unsigned n);
void queues(void);
void legacy_rings(unsigned q);

/** A card that runs; one that was not touched; one with the legacy interface too; one with four
 * pairs of queues. */
int setup(void **state);
int fresh(void **state);
int transitional(void **state);
int with_pairs(void **state);
int teardown(void **state);

/** Offer a buffer, which the device reads, or fills (flag 2); how many it has given back. */
void offer(unsigned q, uint64_t addr, uint32_t len, uint16_t flags);
uint16_t done(unsigned q);
/** Offer a frame of `len` bytes behind a header of so many. */
void transmit(unsigned header, uint32_t len);

#endif
