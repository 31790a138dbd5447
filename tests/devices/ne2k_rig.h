/* An NE2000 on PCI, or one on ISA beside it, driven at its ports. */

#ifndef TESTS_DEVICES_NE2K_RIG_H
#define TESTS_DEVICES_NE2K_RIG_H

#include "pci_rig.h"

#include "devices/dp8390.h"

enum { DATA = 0x10, RESET = 0x1f };
enum { P0 = 0x00, P1 = 0x40, P2 = 0x80, P3 = 0xc0, STOP = 0x21, START = 0x22, SEND = 0x26 };
enum { ALL = 0x7f, TX_PAGE = 0x40, FIRST = 0x46, END = 0x80 };

#define ISA_LINE 64

extern struct nic *pci_nic;
extern bool on_isa; /* `nic` is not that one, but its neighbour on ISA */
extern const uint8_t other[ETH_ALEN], broadcast[ETH_ALEN], group[ETH_ALEN];

/* Setups: the card in question is `nic`. */
int pci_setup(void **state);
int isa_setup(void **state);
int teardown(void **state);
struct dp8390 *chip(void);

/* Its ports. */
uint64_t in_n(unsigned port, unsigned size);
void out_n(unsigned port, uint64_t v, unsigned size);
unsigned in(unsigned port);
void out(unsigned port, unsigned v);

/** A register of page 1 to 3; page 0 is selected afterwards. */
unsigned page_in(unsigned page, unsigned reg);
void page_out(unsigned page, unsigned reg, unsigned v);
bool line(void);

/** As a driver brings it up: word transfers, the ring from FIRST to END. */
void start(unsigned rcr);

/** Begin a remote DMA. */
void remote(unsigned command, unsigned at, unsigned len);
void ram_read(unsigned at, void *to, unsigned len);
void ram_write(unsigned at, const void *from, unsigned len);
/** Send so many bytes from TX_PAGE. */
void transmit(unsigned len);
unsigned curr(void);
/** Frames that it dropped. */
uint64_t refused(void);
/** Whether a frame to an address has come into the ring. */
unsigned packets(const uint8_t *to);

#define PCI(f) cmocka_unit_test_setup_teardown(f, pci_setup, teardown)
#define ISA(f) cmocka_unit_test_setup_teardown(f, isa_setup, teardown)
#define BOTH(f)                                                                                    \
    {#f " (PCI)", f, pci_setup, teardown, NULL},                                                   \
    {                                                                                              \
#f " (ISA)", f, isa_setup, teardown, NULL                                                  \
    }

#endif
