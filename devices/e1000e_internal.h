/*
 * What the files of the e1000e share: what the 82574 has beyond the 8254x (e1000_internal.h).
 * Sections are those of Intel's "82574 GbE Controller Family Datasheet", 317694.
 */
#ifndef DEVICES_E1000E_INTERNAL_H
#define DEVICES_E1000E_INTERNAL_H

#include "devices/e1000_internal.h"
#include "devices/e1000e.h"
#include "devices/pci_msix.h"

/* Registers of its own (chapter 10); a second ring's five follow one another, as the first's. */
enum e1000e_register {
    E1000E_FLA = E1000_8254X_REGISTERS,
    E1000E_EIAC,
    E1000E_IAM,
    E1000E_IVAR,
    E1000E_EXTCNF_CTRL,
    E1000E_EXTCNF_SIZE,
    E1000E_POEMB,
    E1000E_PBS,
    E1000E_EEMNGCTL,
    E1000E_EEARBC,
    E1000E_EEWR,
    E1000E_FLOP,
    E1000E_ERT,
    E1000E_PSRCTL,
    E1000E_RDBAL1,
    E1000E_RDBAH1,
    E1000E_RDLEN1,
    E1000E_RDH1,
    E1000E_RDT1,
    E1000E_RXDCTL1,
    E1000E_TDBAL1,
    E1000E_TDBAH1,
    E1000E_TDLEN1,
    E1000E_TDH1,
    E1000E_TDT1,
    E1000E_TXDCTL1,
    E1000E_TARC0,
    E1000E_TARC1,
    E1000E_RFCTL,
    E1000E_MRQC,
    E1000E_RSSIM,
    E1000E_RSSIR,
    E1000E_MANC2H,
    E1000E_GCR,
    E1000E_FUNCTAG,
    E1000E_FACTPS,
    E1000E_CCMCTL,
    E1000E_FWSM,
    E1000E_SWSM2,
    E1000E_GCR2,
    E1000E_HICR,
    E1000E_SYSTIML,
    E1000E_SYSTIMH,
    E1000E_TIMINCA,
    E1000E_TSYNCTXCTL,
    E1000E_TSYNCRXCTL,
    E1000E_RXMTRL,
    E1000E_RXUDP,
    E1000E_REGISTERS
};

/* Interrupt causes. */
#define ICR_SRPD 0x10000u
#define ICR_ACK 0x20000u
#define ICR_MNG 0x40000u
#define ICR_RXQ0 0x100000u /* and RXQ1, TXQ0, TXQ1, OTHER: in IVAR's order */
#define ICR_RXQ1 0x200000u
#define ICR_TXQ0 0x400000u
#define ICR_TXQ1 0x800000u
#define ICR_OTHER 0x1000000u
#define ICR_ASSERTED 0x80000000u

#define CTRL_EXT_EIAME (1u << 24)
#define CTRL_EXT_IAME (1u << 27)
#define RFCTL_EXTEN (1u << 15)

#define E1000E_VECTORS 5
#define E1000E_BAR_MSIX 3
#define E1000E_RETA 32
#define E1000E_RSSRK 10
#define E1000E_PAGES 6 /* of the PHY, beyond its first, that are remembered */

/** An MSI-X vector's throttle. */
struct e1000e_vector {
    struct e1000e *card;
    struct event later; /* EITR: no message before */
    uint64_t quiet_until;
};

struct e1000e {
    struct e1000 e1000; /* first, so that they are one object */
    uint32_t reta[E1000E_RETA], rssrk[E1000E_RSSRK], eitr[E1000E_VECTORS];
    struct pci_msix msix;
    struct e1000e_vector vectors[E1000E_VECTORS];
    uint16_t page_of[E1000E_PAGES];   /* 0: free */
    uint16_t pages[E1000E_PAGES][16]; /* registers 16 to 31 */
    uint16_t no_page;                 /* what is read where there is nothing */
    uint64_t systim, systim_since;    /* what the clock was, and when */
};

_Static_assert(offsetof(struct e1000e, e1000) == 0, "handlers take one for the other");
_Static_assert((int)E1000E_REGISTERS <= (int)E1000_REGISTERS, "there is room for them");

static inline struct e1000e *e1000e_of(struct e1000 *d)
{
    return container_of(d, struct e1000e, e1000);
}

/* --- e1000e_intr.c: interrupts, and messages --- */

void e1000e_intr_init(struct e1000e *e);
void e1000e_intr_reset(struct e1000e *e);
void e1000e_intr_finish(struct e1000e *e);
void e1000e_intr_clone(struct e1000e *e, const struct e1000e *from);
/** struct e1000_chip's. */
void e1000e_interrupt(struct e1000 *d, uint32_t fresh);
uint32_t e1000e_icr_read(struct e1000 *d);
void e1000e_icr_write(struct e1000 *d, uint32_t v);

/* --- e1000e_phy.c: NVM, semaphores, the PHY's pages, the clock --- */

void e1000e_nvm_fill(struct e1000 *d);
uint32_t e1000e_eecd_read(struct e1000 *d);
void e1000e_eerd_write(struct e1000 *d, uint32_t v);
void e1000e_eewr_write(struct e1000 *d, uint32_t v);
uint32_t e1000e_swsm_read(struct e1000 *d);
uint16_t *e1000e_phy_page(struct e1000 *d, unsigned reg);
void e1000e_phy_forget(struct e1000e *e);
uint32_t e1000e_systiml_read(struct e1000 *d);
void e1000e_systiml_write(struct e1000 *d, uint32_t v);
void e1000e_systimh_write(struct e1000 *d, uint32_t v);
void e1000e_timinca_write(struct e1000 *d, uint32_t v);

/* --- e1000e_rss.c: what is in a packet, and whose it is --- */

/** Where the headers of a packet end; 0: there is no such header. */
struct e1000e_headers {
    uint32_t l3, l4, end; /* offsets: of IP's, of TCP's or UDP's, of what follows */
    bool v6, tcp, udp;
    bool udp_fragment; /* the first of a datagram that has a checksum */
};

void e1000e_headers_find(const struct e1000 *d, const struct e1000_received *r,
                         struct e1000e_headers *h);

struct e1000e_rss {
    uint32_t hash;
    uint8_t type, queue; /* type 0: not hashed */
};

void e1000e_rss(struct e1000e *e, const struct e1000_received *r, const struct e1000e_headers *h,
                struct e1000e_rss *rss);

/* --- e1000e_rx.c --- */

/** struct e1000_chip's. */
enum port_verdict e1000e_place(struct e1000 *d, const struct e1000_received *r);

#endif
