/* An rtl8139 ready to send and to receive, either way. */

#ifndef TESTS_DEVICES_RTL8139_RIG_H
#define TESTS_DEVICES_RTL8139_RIG_H

#include "pci_rig.h"

enum {
    IDR = 0,
    MAR = 8,
    TSD = 0x10,
    DTCCR = 0x10,
    TSAD = 0x20,
    TNPDS = 0x20,
    RBSTART = 0x30,
    CR = 0x37,
    CAPR = 0x38,
    CBR = 0x3a,
    IMR = 0x3c,
    ISR = 0x3e,
    TCR = 0x40,
    RCR = 0x44,
    TCTR = 0x48,
    MPC = 0x4c,
    CR9346 = 0x50,
    CONFIG1 = 0x52,
    TIMERINT = 0x54,
    MSR = 0x58,
    CONFIG3 = 0x59,
    RERID = 0x5e,
    SUMMARY = 0x60,
    BMCR = 0x62,
    BMSR = 0x64,
    ANAR = 0x66,
    CSCR = 0x74,
    CONFIG5 = 0xd8,
    TPPOLL = 0xd9,
    CPCR = 0xe0,
    RDSAR = 0xe4,
};
enum { BUFE = 1, TE = 4, RE = 8, RST = 0x10 };
enum {
    ROK = 1,
    TOK = 4,
    TER = 8,
    RDU = 0x10,
    LINK = 0x20,
    TDU = 0x80,
    SWINT = 0x100,
    TIMEOUT = 0x4000,
    SERR = 0x8000
};
enum { AAP = 1, APM = 2, AM = 4, AB = 8, WRAP = 0x80 };
#define OWN (1u << 31)
#define EOR (1u << 30)
#define FS (1u << 29)
#define LS (1u << 28)
#define LGSEN (1u << 27)
#define N 4 /* descriptors in each ring */
#define BUFFER 512
#define SIZE 8192 /* of the classic buffer */

extern uint64_t buffer, payload, tx_ring, rx_ring;
extern uint32_t tx_next; /* the descriptor for sending that is next */
extern const uint8_t everyone[ETH_ALEN], group[ETH_ALEN], stranger[ETH_ALEN];

uint32_t get(unsigned reg, unsigned size);
void put(unsigned reg, uint32_t value, unsigned size);
/** ISR, which is cleared. */
uint16_t causes(void);

/** Setup: an RTL8139C, with its buffer and its four descriptors. */
int classic(void **state);
void classic_send(uint32_t len);

/** Setup: an RTL8139C+, with a ring each way. */
int rings(void **state);
/* Their descriptors. */
uint8_t *tx_at(uint32_t i);
uint8_t *rx_at(uint32_t i);
/** A buffer of so many bytes, in descriptor `i`. */
void give(uint32_t i, uint32_t size);
/** The next descriptor for sending; the card is told by poll_rings. */
void part(uint64_t at, uint32_t len, uint32_t flags, uint32_t tag);
void poll_rings(void);

int teardown(void **state);

#define C(f) cmocka_unit_test_setup_teardown(f, classic, teardown)
#define R(f) cmocka_unit_test_setup_teardown(f, rings, teardown)
#define T(f)                                                                                       \
    {#f " (C)", f, classic, teardown, NULL},                                                       \
    {                                                                                              \
#f " (C+)", f, rings, teardown, NULL                                                       \
    }

#endif
