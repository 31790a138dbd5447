/*
 * What the files of the tulip share. Sections are those of the 21143's Hardware Reference Manual,
 * 278074.
 */
#ifndef DEVICES_TULIP_INTERNAL_H
#define DEVICES_TULIP_INTERNAL_H

#include "devices/eeprom93.h"
#include "devices/mdio.h"
#include "devices/packets.h"
#include "devices/pci.h"
#include "devices/rx_poll.h"
#include "devices/tulip.h"

#define TULIP_CSRS 16
#define TULIP_SETUP 192 /* bytes of a setup frame */
#define TULIP_FCS 4

/* CSR0: how the bus is used. */
enum {
    CSR0_SWR = 1 << 0,
    CSR0_DSL = 31 << 2, /* longwords skipped behind a descriptor */
    CSR0_BLE = 1 << 7,  /* buffers are big-endian */
    CSR0_DBO = 1 << 20, /* descriptors are big-endian */
};

/* CSR5: causes, which are bits of CSR7 too; and the state of both processes. */
enum {
    CSR5_TI = 1 << 0,
    CSR5_TPS = 1 << 1,
    CSR5_TU = 1 << 2,
    CSR5_TJT = 1 << 3,
    CSR5_ANC = 1 << 4, /* negotiated; or the 10BASE-T link passes */
    CSR5_RI = 1 << 6,
    CSR5_RU = 1 << 7,
    CSR5_RPS = 1 << 8,
    CSR5_RWT = 1 << 9,
    CSR5_GTE = 1 << 11,
    CSR5_LNF = 1 << 12,
    CSR5_FBE = 1 << 13,
    CSR5_AIS = 1 << 15,
    CSR5_NIS = 1 << 16,
    CSR5_RS = 7 << 17,
    CSR5_TS = 7 << 20,
    CSR5_EB = 7 << 23,
    CSR5_MASTER_ABORT = 1 << 23,
    CSR5_LC = 1 << 27,
};
enum { RS_STOPPED = 0, RS_WAITING = 3 << 17, RS_SUSPENDED = 4 << 17 };
enum { TS_STOPPED = 0, TS_FETCHING = 1 << 20, TS_SUSPENDED = 6 << 20 };

/* CSR6: modes. */
enum {
    CSR6_HP = 1 << 0, /* hash for groups, one perfect address */
    CSR6_SR = 1 << 1,
    CSR6_HO = 1 << 2, /* hash for all */
    CSR6_IF = 1 << 4, /* inverse */
    CSR6_PR = 1 << 6,
    CSR6_PM = 1 << 7,
    CSR6_OM_INTERNAL = 1 << 10,
    CSR6_OM_EXTERNAL = 1 << 11,
    CSR6_ST = 1 << 13,
    CSR6_PS = 1 << 18,  /* the MII or the 100BASE-TX port; else 10 Mbit/s */
    CSR6_TTM = 1 << 22, /* 10 Mbit/s on the MII */
    CSR6_PCS = 1 << 23, /* 100BASE-TX */
    CSR6_RA = 1 << 30,
};
#define CSR6_FILTER (CSR6_HP | CSR6_HO | CSR6_IF)

struct tulip {
    struct nic nic;
    struct pci_function pci;
    uint32_t csr[TULIP_CSRS];
    uint16_t srom[EEPROM93_WORDS];
    struct eeprom93 srom_wire;
    struct mdio mdio;
    uint16_t bmcr, anar;        /* the PHY's */
    bool link_lost;             /* since BMSR was last read */
    uint8_t setup[TULIP_SETUP]; /* the last setup frame */
    uint32_t rx_at, tx_at;      /* the descriptors to be used next */
    uint32_t tx_control;        /* TDES1 of a packet's first descriptor */
    bool fatal;                 /* after an error on the bus, until a reset */
    bool tx_long;               /* what has come of a packet is too much already */
    struct frame *tx;           /* what has come of a packet so far, or NULL */
    struct event tx_more;       /* go on sending: there was more than one demand's share */
    struct event looped;        /* what was sent in a loop comes back */
    struct event timer;         /* CSR11 */
    struct event negotiated;    /* the SIA has, with the far end */
    struct rx_poll poll;
    struct packets waiting; /* what has looped, and segments, until there are buffers */
};

static inline struct evq *tulip_events(struct tulip *d)
{
    return &d->nic.dev.env->actor->events;
}

static inline vtime_t tulip_now(const struct tulip *d)
{
    return d->nic.dev.env->actor->now;
}

static inline uint32_t tulip_rx_state(const struct tulip *d)
{
    return d->csr[5] & CSR5_RS;
}

static inline uint32_t tulip_tx_state(const struct tulip *d)
{
    return d->csr[5] & CSR5_TS;
}

/** The four words of a descriptor (4.2.1, 4.2.2). */
struct tulip_descriptor {
    uint32_t status, control, buffer1, buffer2;
};

enum { D_OWN = 1u << 31, D_ES = 1 << 15, D_RING_END = 1 << 25, D_CHAINED = 1 << 24 };

/* --- tulip.c --- */

/** Set causes in CSR5, and the line. */
void tulip_raise(struct tulip *d, uint32_t causes);
/** Say in CSR5 what a process does now. */
void tulip_rx_set(struct tulip *d, uint32_t state);
void tulip_tx_set(struct tulip *d, uint32_t state);

/* --- tulip_dma.c: descriptors and buffers, in either byte order --- */

/** Each false: it is not in RAM, and the card has stopped with a fatal bus error. */
bool tulip_descriptor_read(struct tulip *d, uint32_t at, struct tulip_descriptor *x);
bool tulip_status_write(struct tulip *d, uint32_t at, uint32_t status);
bool tulip_buffer_read(struct tulip *d, uint32_t at, uint8_t *to, uint32_t len);
bool tulip_buffer_write(struct tulip *d, uint32_t at, const uint8_t *from, uint32_t len);
/** The sizes of a descriptor's buffers. */
uint32_t tulip_size1(const struct tulip_descriptor *x);
uint32_t tulip_size2(const struct tulip_descriptor *x);
/** Where the one behind a descriptor is, in a list that begins at `base`. */
uint32_t tulip_next(const struct tulip *d, uint32_t at, const struct tulip_descriptor *x,
                    uint32_t base);

/* --- tulip_rx.c, tulip_filter.c --- */

enum port_verdict tulip_rx(struct port *p, struct frame *f);
/** What waits may fit now. */
void tulip_receive(struct tulip *d);
void tulip_rx_start(struct tulip *d);
void tulip_rx_stop(struct tulip *d);
/** CSR2: look for buffers again. */
void tulip_rx_demand(struct tulip *d);
void tulip_rx_init(struct tulip *d);
void tulip_rx_reset(struct tulip *d);
/** A setup frame of this type (FT1, FT0) has come. */
void tulip_filter_set(struct tulip *d, const uint8_t setup[TULIP_SETUP], unsigned type);
/** Whether the addresses of the last setup frame let one in. */
bool tulip_filter_matches(const struct tulip *d, const uint8_t *mac);

/* --- tulip_tx.c --- */

/** Take up what the driver has given for sending. */
void tulip_transmit(struct tulip *d);
void tulip_tx_start(struct tulip *d);
void tulip_tx_stop(struct tulip *d);
void tulip_tx_init(struct tulip *d);
void tulip_tx_reset(struct tulip *d);
void tulip_tx_clone(struct tulip *d, const struct tulip *from);
/** Which loop what is sent takes: CSR6's bits, or 0. */
uint32_t tulip_loops(const struct tulip *d);

/* --- tulip_phy.c: serial ROM, PHY, and the SIA --- */

void tulip_srom_fill(struct tulip *d);
void tulip_phy_reset(struct tulip *d);
bool tulip_phy_loops(const struct tulip *d);
void tulip_sia_init(struct tulip *d);
void tulip_sia_reset(struct tulip *d);
void tulip_carrier(struct port *p, bool up);
/** CSR9's wires have changed; and as they are. */
void tulip_wires_written(struct tulip *d, uint32_t was);
uint32_t tulip_wires_read(struct tulip *d);
/** CSR12; what happens when it was written, and CSR13 or CSR14. */
uint32_t tulip_sia_read(struct tulip *d);
void tulip_negotiate_written(struct tulip *d, uint32_t was);
void tulip_sia_written(struct tulip *d, uint32_t was);

#endif
