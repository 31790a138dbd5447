/* A pcnet with rings of each layout, brought up as a driver does. */

#ifndef TESTS_DEVICES_PCNET_RIG_H
#define TESTS_DEVICES_PCNET_RIG_H

#include "pci_rig.h"

enum { RDP = 0x10, RESET16 = 0x14, RESET32 = 0x18 };
enum { INIT = 1, STRT = 2, STOP = 4, TDMD = 8, TXON = 0x10, RXON = 0x20, IENA = 0x40, INTR = 0x80 };
enum { IDON = 0x100, TINT = 0x200, RINT = 0x400, MERR = 0x800, MISS = 0x1000 };
enum { CERR = 0x2000, BABL = 0x4000 };
enum { PROM = 0x8000, DRCVBC = 0x4000, DRCVPA = 0x2000, DXMTFCS = 8, LOOP = 4, DTX = 2, DRX = 1 };
enum { SPND = 1, SINTE = 0x400, SINT = 0x800 }; /* CSR5 */
#define N 4    /* descriptors in each ring */
#define CODE 2 /* N as a power of two */
#define BUFFER 256
#define OWN 0x80
#define ERR 0x40
#define BUFF 0x80000000u /* errors in TMD2 */
#define UFLO 0x40000000u
#define LCAR 0x08000000u
#define STP 2
#define ENP 1

extern unsigned style; /* of the descriptors */
extern bool wide_registers;
extern bool only_high; /* RAM is no longer seen at 0 as well */
extern uint32_t block, rx_ring, tx_ring, buffers, payload, tx_next;
extern const uint8_t everyone[ETH_ALEN], group[ETH_ALEN], stranger[ETH_ALEN];

/** Bytes of a register. */
unsigned width(void);
uint16_t csr(unsigned n);
void put(unsigned n, uint16_t value);
uint16_t bcr(unsigned n);
void bcr_put(unsigned n, uint16_t value);

/* RAM as the card sees it: from 0 on. */
uint32_t low(uint64_t at);
uint8_t *at(uint32_t addr);

/* Descriptors, whatever their layout. */
uint8_t *descriptor(uint32_t ring, uint32_t i);
void give(uint32_t ring, uint32_t i, uint32_t address, uint32_t len, uint8_t status);
uint8_t status_of(uint32_t ring, uint32_t i);
/** How long a received message is. */
uint32_t message(uint32_t i);

/** The initialization block, for start. */
void block_fill(uint16_t mode);
/** As a driver brings it up, in a mode (CSR15). */
void start(uint16_t mode);
int narrow(void **state);
int wide2(void **state);
int wide3(void **state);
int teardown(void **state);

/** A descriptor for sending; the card is told by demand. */
void send_part(uint32_t address, uint32_t len, uint8_t status);
void demand(void);
void send_frame(uint32_t len);
/** Clear what CSR0 tells. */
void ack(void);
/** Whether an access to memory has failed: CSR5 and PCI's status say so, and are cleared. */
bool aborted(void);

#define T(f)                                                                                       \
    {#f " (style 0)", f, narrow, teardown, NULL}, {#f " (style 2)", f, wide2, teardown, NULL},     \
    {                                                                                              \
#f " (style 3)", f, wide3, teardown, NULL                                                  \
    }

#endif
