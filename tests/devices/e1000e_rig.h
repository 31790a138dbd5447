/* An e1000e with two rings each way, and packets for it. */

#ifndef TESTS_DEVICES_E1000E_RIG_H
#define TESTS_DEVICES_E1000E_RIG_H

#include "pci_rig.h"

enum {
    CTRL = 0x0000,
    STATUS = 0x0008,
    EECD = 0x0010,
    EERD = 0x0014,
    CTRL_EXT = 0x0018,
    MDIC = 0x0020,
    ICR = 0x00c0,
    ITR = 0x00c4,
    ICS = 0x00c8,
    IMS = 0x00d0,
    IMC = 0x00d8,
    EIAC = 0x00dc,
    IAM = 0x00e0,
    IVAR = 0x00e4,
    EITR = 0x00e8,
    RCTL = 0x0100,
    TCTL = 0x0400,
    EXTCNF_CTRL = 0x0f00,
    PBA = 0x1000,
    EEWR = 0x102c,
    PSRCTL = 0x2170,
    RDBAL = 0x2800,
    RDLEN = 0x2808,
    RDH = 0x2810,
    RDT = 0x2818,
    RDTR = 0x2820,
    TDBAL = 0x3800,
    TDLEN = 0x3808,
    TDH = 0x3810,
    TDT = 0x3818,
    QUEUE = 0x100, /* from a register of a ring to that of the second one */
    RNBC = 0x40a0,
    IAC = 0x4100,
    RXCSUM = 0x5000,
    RFCTL = 0x5008,
    RAL = 0x5400,
    MRQC = 0x5818,
    RETA = 0x5c00,
    RSSRK = 0x5c80,
    SWSM = 0x5b50,
    SYSTIML = 0xb600,
    SYSTIMH = 0xb604,
    TIMINCA = 0xb608,
};
enum { SLU = 0x40, VME = 1 << 30, RST = 1 << 26 };
enum { EN = 2, UPE = 8, LPE = 0x20, MAC_LOOP = 0x40, SPLIT = 0x400, BAM = 0x8000, SECRC = 1 << 26 };
enum { TXDW = 1, LSC = 4, RXDMT0 = 0x10, RXT0 = 0x80 };
enum { RXQ0 = 1 << 20, RXQ1 = 1 << 21, TXQ0 = 1 << 22, TXQ1 = 1 << 23, OTHER = 1 << 24 };
enum { EXTEN = 0x8000, IPOFL_TUOFL = 0x300, PCSD = 0x2000 };
#define ASSERTED 0x80000000u
#define IAME (1u << 27)
#define EIAME (1u << 24)
#define N 8 /* units of 16 bytes in each ring */
#define EOP 0x01000000u
#define RS 0x08000000u

extern uint64_t tx_ring[2], rx_ring[2], buffers[2], payload;
extern const uint8_t stranger[ETH_ALEN];

/** What flow_packet makes a packet of. */
struct flow {
    const uint8_t *from, *to; /* 4 bytes, or 16 */
    uint16_t from_port, to_port;
    bool v6, udp;
};

extern const struct flow v4_tcp, v4_udp, v6_tcp, v6_udp;

uint32_t get(unsigned reg);
void put(unsigned reg, uint32_t value);

/** Extended descriptors, each with a buffer of 2 KiB: they are written over, so given anew. */
void give_buffers(unsigned q);
/** Everything on, with nothing pending. */
void configure(void);
int setup(void **state);
int teardown(void **state);

/* Of what was received: `unit` counts 16 bytes of ring `q`. */
const uint8_t *rx_at(unsigned q, unsigned unit);
uint32_t status_of(unsigned q, unsigned unit);
uint16_t length_of(unsigned q, unsigned unit);

/** A frame (taken) arrives. */
void receive(struct frame *f);
struct frame *flow_packet(const struct flow *w, uint32_t data);

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
