/* A tulip with short rings, brought up as a driver does. */
#ifndef TESTS_DEVICES_TULIP_RIG_H
#define TESTS_DEVICES_TULIP_RIG_H

#include "pci_rig.h"

enum { SWR = 1, BLE = 1 << 7, DBO = 1 << 20 }; /* CSR0 */
enum { TI = 1, TPS = 2, TU = 4, TJT = 8, ANC = 0x10, RI = 0x40, RU = 0x80, RPS = 0x100 };
enum { RWT = 0x200, GTE = 0x800, LNF = 0x1000, FBE = 0x2000, AIS = 0x8000, NIS = 0x10000 };
enum { LC = 1 << 27, STATES = 0x7e0000, BUS_ERROR = 7 << 23, MASTER_ABORT = 1 << 23 };
enum { RX_WAITS = 3 << 17, RX_SUSPENDED = 4 << 17, TX_SUSPENDED = 6 << 20 };
enum { HP = 1, SR = 2, HO = 4, IF = 0x10, PR = 0x40, PM = 0x80, ST = 0x2000 }; /* CSR6 */
enum { RA = 1 << 30 };
enum { INTERNAL = 1 << 10, EXTERNAL = 2 << 10, PS = 1 << 18, TTM = 1 << 22, PCS = 1 << 23 };
enum { RING_END = 1 << 25, CHAINED = 1 << 24 }; /* of descriptors */
enum { LS = 1 << 30, FS = 1 << 29, SETUP = 1 << 27, AC = 1 << 26, DPD = 1 << 23 };
enum { HASH = 1 << 22, INVERSE = 1 << 28, HASH_ONLY = HASH | INVERSE };
enum { ES = 0x8000, DE = 0x4000, MF = 0x400, FIRST = 0x200, LAST = 0x100, TL = 0x80, FT = 0x20 };
enum { RW = 0x10, FF = 1 << 30, JABBER = 0x4000 };
#define OWN (1u << 31)
#define IC (1u << 31)
#define WHOLE (FIRST | LAST | FT)
#define N 4 /* descriptors in each ring */
#define BUFFER 1536
#define BAD 0x40000000u
#define ALL 0x0c01ffffu

extern const uint8_t everyone[ETH_ALEN], group[ETH_ALEN], stranger[ETH_ALEN];
extern uint32_t rx_ring, tx_ring, buffers, payload, setup_at; /* in RAM */
extern uint32_t tx_next;                                      /* the descriptor sent with next */

uint32_t csr(unsigned n);
void put(unsigned n, uint32_t value);
/** RAM at an address. */
uint8_t *at(uint32_t addr);
void wait_ns(vtime_t ns);

/* Words of descriptors, in the order of bytes that is set (CSR0.DBO). */
void word_put(uint32_t addr, uint32_t v);
uint32_t word(uint32_t addr);

/** Give a descriptor anywhere; or the i'th of a ring. */
void give_at(uint32_t addr, uint32_t control, uint32_t buffer1, uint32_t buffer2);
void give(uint32_t ring, uint32_t i, uint32_t control, uint32_t buffer1);
void rx_give(uint32_t i);
uint32_t status(uint32_t ring, uint32_t i);

/** A descriptor for sending; the card is told by demand. */
void send_part(uint32_t control, uint32_t address);
void demand(void);
void send_frame(uint32_t len);
/** Clear what CSR5 tells. */
void ack(void);

/** An address into the setup frame; `place` counts bytes from its start. */
void setup_entry(uint32_t place, const uint8_t *mac);
void setup_send(uint32_t type);
/** One of address a, and fifteen of b. */
void setup_perfect(const uint8_t *a, const uint8_t *b, uint32_t type);

/** One bit of a management frame; what the wire was just before. */
unsigned mii_bit(unsigned wires);
void mii_out(uint32_t bits, unsigned n);
void mii_put(unsigned phy, unsigned reg, uint16_t value);

/** As a driver brings it up: CSR0, and what CSR6 has besides SR and ST. */
void start(uint32_t bus, uint32_t mode);
int setup(void **state);
int teardown(void **state);

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
