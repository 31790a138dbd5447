/* An e1000 with its rings and buffers, ready to send and to receive. */

#ifndef TESTS_DEVICES_E1000_RIG_H
#define TESTS_DEVICES_E1000_RIG_H

#include "pci_rig.h"

enum {
    CTRL = 0x0000,
    STATUS = 0x0008,
    EERD = 0x0014,
    MDIC = 0x0020,
    VET = 0x0038,
    ICR = 0x00c0,
    ITR = 0x00c4,
    ICS = 0x00c8,
    IMS = 0x00d0,
    IMC = 0x00d8,
    RCTL = 0x0100,
    TCTL = 0x0400,
    PBA = 0x1000,
    RDBAL = 0x2800,
    RDLEN = 0x2808,
    RDH = 0x2810,
    RDT = 0x2818,
    RDTR = 0x2820,
    RADV = 0x282c,
    TDBAL = 0x3800,
    TDLEN = 0x3808,
    TDH = 0x3810,
    TDT = 0x3818,
    TIDV = 0x3820,
    TADV = 0x382c,
    GPRC = 0x4074,
    BPRC = 0x4078,
    MPRC = 0x407c,
    GPTC = 0x4080,
    GORCL = 0x4088,
    GORCH = 0x408c,
    GOTCL = 0x4090,
    RNBC = 0x40a0,
    ROC = 0x40ac,
    RLEC = 0x4040,
    PTC511 = 0x40e4,
    PTC1522 = 0x40ec,
    TSCTC = 0x40f8,
    RXCSUM = 0x5000,
    MTA = 0x5200,
    RAL = 0x5400,
    RAH = 0x5404,
    VFTA = 0x5600,
};
enum { SLU = 0x40, VME = 1 << 30, RST = 1 << 26 };
enum { EN = 2, UPE = 8, MPE = 0x10, LPE = 0x20, BAM = 0x8000, VFE = 1 << 18, SECRC = 1 << 26 };
enum { TXDW = 1, TXQE = 2, LSC = 4, RXDMT0 = 0x10, RXT0 = 0x80 };
#define N 8 /* descriptors in each ring */
#define EOP 0x01000000u
#define IFCS 0x02000000u
#define RS 0x08000000u
#define DEXT 0x20000000u
#define VLE 0x40000000u
#define IDE 0x80000000u
#define DATA 0x00100000u
#define TSE 0x04000000u

extern uint64_t tx_ring, rx_ring, buffers, payload;
extern uint32_t tail; /* where the next descriptor for sending goes */
extern const uint8_t everyone[ETH_ALEN], group[ETH_ALEN], stranger[ETH_ALEN];

uint32_t get(unsigned reg);
void put(unsigned reg, uint32_t value);
/** Everything on, with nothing pending. */
void configure(void);
int setup(void **state);
/** The same with an 82544GC. */
int setup_82544(void **state);
int teardown(void **state);

/** A descriptor at the tail; it is seen when the tail is written. */
void descriptor(uint64_t low, uint32_t second, uint32_t third);
void send_all(void);
/** A descriptor for receiving. */
const uint8_t *rx_at(unsigned i);

/** An IPv4 TCP packet in `payload`, without sums and lengths, as a driver leaves it for
 * segmentation. */
uint32_t tcp_packet(uint32_t data, bool lengths);

/** A context descriptor for it. */
void context(uint32_t mss, uint32_t hdrlen, uint32_t data, uint32_t tucmd);

/** For offload_finish: what such a packet was cut into, is whole; counted. */
void check_segment(void *opaque, struct frame *f);
extern unsigned n_segments;
extern uint32_t segment_bytes; /* of data */

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define T_82544(f) cmocka_unit_test_setup_teardown(f, setup_82544, teardown)

#endif
