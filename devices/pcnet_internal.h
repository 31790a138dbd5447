/* What the files of the pcnet share. Sections are those of AMD's Am79C970A data sheet, 19436. */
#ifndef DEVICES_PCNET_INTERNAL_H
#define DEVICES_PCNET_INTERNAL_H

#include "devices/packets.h"
#include "devices/pci.h"
#include "devices/pcnet.h"
#include "devices/rx_poll.h"

#define PCNET_CSRS 128
#define PCNET_BCRS 32
#define PCNET_APROM 16

/* CSR0: status and control. */
enum {
    CSR0_INIT = 0x0001, CSR0_STRT = 0x0002, CSR0_STOP = 0x0004, CSR0_TDMD = 0x0008,
    CSR0_TXON = 0x0010, CSR0_RXON = 0x0020, CSR0_IENA = 0x0040, CSR0_INTR = 0x0080,
    CSR0_IDON = 0x0100, CSR0_TINT = 0x0200, CSR0_RINT = 0x0400, CSR0_MERR = 0x0800,
    CSR0_MISS = 0x1000, CSR0_CERR = 0x2000, CSR0_BABL = 0x4000, CSR0_ERR = 0x8000,
};
#define CSR0_CAUSES (CSR0_IDON | CSR0_TINT | CSR0_RINT | CSR0_MERR | CSR0_MISS | CSR0_BABL)

/* CSR3: masks and modes. */
enum { CSR3_BSWP = 0x0004, CSR3_DXMT2PD = 0x0010, CSR3_LAPPEN = 0x0020, CSR3_DXSUFLO = 0x0040 };

/* CSR4: features and causes of their own. */
enum {
    CSR4_JABM = 0x0001, CSR4_JAB = 0x0002, CSR4_TXSTRTM = 0x0004, CSR4_TXSTRT = 0x0008,
    CSR4_RCVCCOM = 0x0010, CSR4_RCVCCO = 0x0020, CSR4_UINT = 0x0040, CSR4_UINTCMD = 0x0080,
    CSR4_MFCOM = 0x0100, CSR4_MFCO = 0x0200, CSR4_ASTRP_RCV = 0x0400, CSR4_APAD_XMT = 0x0800,
    CSR4_DPOLL = 0x1000, CSR4_TIMER = 0x2000, CSR4_DMAPLUS = 0x4000,
};

/* CSR5. */
enum { CSR5_SPND = 0x0001, CSR5_SINTE = 0x0400, CSR5_SINT = 0x0800, CSR5_LTINTEN = 0x4000,
       CSR5_TOKINTD = 0x8000, CSR5_WRITABLE = 0xf56e | CSR5_SPND };

/* CSR15: mode. */
enum {
    MODE_DRX = 0x0001, MODE_DTX = 0x0002, MODE_LOOP = 0x0004, MODE_DXMTFCS = 0x0008,
    MODE_INTL = 0x0040, MODE_DRCVPA = 0x2000, MODE_DRCVBC = 0x4000, MODE_PROM = 0x8000,
};

/* The CSRs that are used by number elsewhere. */
enum {
    CSR_LADRF = 8, CSR_PADR = 12, CSR_MODE = 15, CSR_RX_BASE = 24, CSR_TX_BASE = 30,
    CSR_STYLE = 58, CSR_RX_COUNT = 72, CSR_TX_COUNT = 74, CSR_RX_LENGTH = 76, CSR_TX_LENGTH = 78,
    CSR_CHIP_LOW = 88, CSR_CHIP_HIGH = 89, CSR_MISSED = 112, CSR_COLLISIONS = 114,
};

struct pcnet {
    struct nic nic;
    struct pci_function pci;
    uint8_t aprom[PCNET_APROM];
    uint16_t csr[PCNET_CSRS], bcr[PCNET_BCRS];
    uint16_t rap;
    bool dwio;               /* registers are 32 bits apart and wide */
    uint32_t rx_at, tx_at;   /* the descriptors to be used next */
    struct frame *tx;        /* what has come of a packet so far, or NULL */
    bool tx_bad, tx_has_fcs;
    struct event looped, tx_more;
    struct rx_poll poll;
    struct packets waiting;
};

static inline struct evq *pcnet_events(struct pcnet *d)
{
    return &d->nic.dev.env->actor->events;
}

/** A descriptor in any of the three layouts (SWSTYLE 0, 2, 3). */
struct pcnet_descriptor {
    uint64_t at;      /* where it is */
    uint32_t address; /* of the buffer */
    uint32_t length;  /* of the buffer: BCNT, 1..4096 */
    uint16_t status;  /* the upper half of RMD1/TMD1; of style 0, its upper byte alone */
};

/* What went wrong with a packet sent (TMD2). */
#define TD_BUFF 0x80000000u /* no ENP, and no next buffer */
#define TD_UFLO 0x40000000u
#define TD_LCAR 0x08000000u /* no carrier */

/* Bits of status. */
enum {
    D_OWN = 0x8000, D_ERR = 0x4000, D_STP = 0x0200, D_ENP = 0x0100,
    TD_ADD_FCS = 0x2000, TD_LTINT = 0x1000, TD_COLLISIONS = 0x1c00,
    RD_PAM = 0x0040, RD_LAFM = 0x0020, RD_BAM = 0x0010, /* why it was taken; not in style 0 */
};

/* --- pcnet.c --- */

/** Set causes in CSR0, and the line. */
void pcnet_raise(struct pcnet *d, uint16_t causes);

/**
 * Something could not be read or written: a master abort, by which the card stops, with SINT
 * (CSR5); or MERR, if it has never been granted the bus. Whoever works on a ring ends at once:
 * d->tx is gone, and what waits to be received goes later.
 */
void pcnet_bus_failed(struct pcnet *d, const char *what);

/* --- pcnet_ring.c: descriptors and frames --- */

/** Take up what the driver has given for sending. */
void pcnet_transmit(struct pcnet *d);
enum port_verdict pcnet_rx(struct port *p, struct frame *f);
/** What waits may fit now. */
void pcnet_receive(struct pcnet *d);
/** Load the initialization block at CSR1 and CSR2 (chapter "Initialization Block"). False: it is not
    in RAM. */
bool pcnet_initialize(struct pcnet *d);
/** Both rings are at their bases: after INIT, and at every start, unlike a C-LANCE
    ("Re-Initialization"). */
void pcnet_ring_rewind(struct pcnet *d);
void pcnet_ring_init(struct pcnet *d);
/** As far as may be done while a frame is being received; what else waits goes by an event. */
void pcnet_ring_halt(struct pcnet *d);
void pcnet_ring_reset(struct pcnet *d);
void pcnet_ring_clone(struct pcnet *d, const struct pcnet *from);

#endif
