/*
 * What the files of the e1000 share: the 8254x and, with more of its own (e1000e_internal.h), the
 * 82574. Sections are those of Intel's "PCI/PCI-X Family of Gigabit Ethernet Controllers Software
 * Developer's Manual", 317453.
 */
#ifndef DEVICES_E1000_INTERNAL_H
#define DEVICES_E1000_INTERNAL_H

#include "devices/e1000.h"
#include "devices/eeprom93.h"
#include "devices/packets.h"
#include "devices/pci.h"

/*
 * Registers that are kept in regs[] (chapter 13); arrays and statistics are apart. A ring's five
 * follow one another: base, its upper half, length, head, tail.
 */
enum e1000_register {
    E1000_CTRL,
    E1000_STATUS,
    E1000_EECD,
    E1000_EERD,
    E1000_CTRL_EXT,
    E1000_MDIC,
    E1000_FCAL,
    E1000_FCAH,
    E1000_FCT,
    E1000_VET,
    E1000_ICR,
    E1000_ITR,
    E1000_IMS,
    E1000_RCTL,
    E1000_FCTTV,
    E1000_TXCW,
    E1000_RXCW,
    E1000_TCTL,
    E1000_TIPG,
    E1000_AIT,
    E1000_LEDCTL,
    E1000_PBA,
    E1000_FCRTL,
    E1000_FCRTH,
    E1000_RDBAL,
    E1000_RDBAH,
    E1000_RDLEN,
    E1000_RDH,
    E1000_RDT,
    E1000_RDTR,
    E1000_RXDCTL,
    E1000_RADV,
    E1000_RSRPD,
    E1000_TXDMAC,
    E1000_TDBAL,
    E1000_TDBAH,
    E1000_TDLEN,
    E1000_TDH,
    E1000_TDT,
    E1000_TIDV,
    E1000_TXDCTL,
    E1000_TADV,
    E1000_TSPMT,
    E1000_RXCSUM,
    E1000_WUC,
    E1000_WUFC,
    E1000_WUS,
    E1000_IPAV,
    E1000_MANC,
    E1000_WUPL,
    E1000_SWSM,
    E1000_FIFO, /* all the diagnostic ones of FIFOs: empty */
    E1000_8254X_REGISTERS,
    E1000_REGISTERS = E1000_8254X_REGISTERS + 50 /* room for the 82574's own */
};

/* CTRL (13.4.1) and STATUS (13.4.2). */
#define CTRL_SLU (1u << 6)
#define CTRL_RST (1u << 26)
#define CTRL_VME (1u << 30)
#define CTRL_PHY_RST (1u << 31)
#define STATUS_FD 1u
#define STATUS_LU 2u
#define STATUS_TXOFF 0x10u
#define STATUS_SPEED_1000 0x80u

/* Interrupt causes (13.4.17). */
#define ICR_TXDW 0x1u
#define ICR_TXQE 0x2u
#define ICR_LSC 0x4u
#define ICR_RXDMT0 0x10u
#define ICR_RXO 0x40u
#define ICR_RXT0 0x80u
#define ICR_MDAC 0x200u
#define ICR_TXD_LOW 0x8000u
#define ICR_CAUSES 0x1ffffu /* of the 8254x */

/* RCTL (13.4.22). */
#define RCTL_EN (1u << 1)
#define RCTL_UPE (1u << 3)
#define RCTL_MPE (1u << 4)
#define RCTL_LPE (1u << 5)
#define RCTL_LBM (3u << 6)
#define RCTL_BAM (1u << 15)
#define RCTL_VFE (1u << 18)
#define RCTL_CFIEN (1u << 19)
#define RCTL_CFI (1u << 20)
#define RCTL_DPF (1u << 22)
#define RCTL_BSEX (1u << 25)
#define RCTL_SECRC (1u << 26)
#define RCTL_FLXBUF 0x78000000u /* the 82574's: KiB of a buffer */

#define TCTL_EN (1u << 1)
#define RXCSUM_IPOFL (1u << 8)
#define RXCSUM_TUOFL (1u << 9)
#define RXCSUM_PCSD (1u << 13) /* the 82574's: no packet checksum */

/* Statistics, numbered from 0x4000 by words (13.7). */
enum {
    STAT_MPC = 0x10 / 4,
    STAT_RLEC = 0x40 / 4,
    STAT_PRC64 = 0x5c / 4,
    STAT_GPRC = 0x74 / 4,
    STAT_BPRC = 0x78 / 4,
    STAT_MPRC = 0x7c / 4,
    STAT_GPTC = 0x80 / 4,
    STAT_GORC = 0x88 / 4,
    STAT_GOTC = 0x90 / 4,
    STAT_RNBC = 0xa0 / 4,
    STAT_RUC = 0xa4 / 4,
    STAT_ROC = 0xac / 4,
    STAT_TOR = 0xc0 / 4,
    STAT_TOT = 0xc8 / 4,
    STAT_TPR = 0xd0 / 4,
    STAT_TPT = 0xd4 / 4,
    STAT_PTC64 = 0xd8 / 4,
    STAT_MPTC = 0xf0 / 4,
    STAT_BPTC = 0xf4 / 4,
    STAT_TSCTC = 0xf8 / 4,
    STATS = 0x128 / 4 /* the last ten are the 82574's */
};

#define E1000_MEMORY_SIZE 0x20000 /* of the registers */
#define E1000_DESCRIPTOR 16
#define E1000_MTA 128
#define E1000_VFTA 128
#define E1000_RA 32 /* 16 pairs of RAL and RAH */
#define E1000_PHY_REGISTERS 32

/** What a context descriptor sets (3.3.6). */
struct e1000_context {
    uint8_t ipcss, ipcso, tucss, tucso, hdrlen;
    uint16_t ipcse, tucse, mss;
    uint8_t tucmd;
    uint32_t paylen;
};

/** A packet that is being collected from descriptors. */
struct e1000_packet {
    struct frame *frame; /* NULL: none has begun */
    bool too_long;       /* more than any frame holds: dropped at its end */
    bool extended;       /* of data descriptors, not legacy ones */
    bool segments;       /* to be cut */
    bool tagged;         /* with `special` */
    uint8_t popts, cmd;  /* of its first, and its last descriptor */
    uint8_t cso, css;    /* legacy */
    uint16_t special;
};

/** A ring for sending: the 8254x has one, the 82574 two. */
struct e1000_txq {
    struct e1000 *card;
    enum e1000_register ring;         /* the first of its registers */
    uint32_t cause;                   /* that is its own, beside TXDW */
    struct e1000_context contexts[2]; /* for checksums, and for segmentation */
    struct e1000_packet packet;
    struct event more;
};

/** A ring for receiving. */
struct e1000_rxq {
    enum e1000_register ring;
    uint32_t cause; /* beside RXT0 and RXDMT0 */
};

#define E1000_QUEUES 2

/** What a received packet's descriptor says of it. */
struct e1000_received {
    const uint8_t *data; /* as the driver gets it */
    uint32_t len;
    uint8_t status, errors;
    uint16_t checksum, special;
};

struct e1000_reg {
    uint16_t offset;
    uint8_t at; /* enum e1000_register */
    const char *name;
    uint32_t reset, writable;
    uint32_t (*read)(struct e1000 *d);
    void (*write)(struct e1000 *d, uint32_t value);
};

/* A row whose register does nothing but hold what was written. */
#define E1000_PLAIN(offset, at, reset, writable)                                                   \
    {                                                                                              \
        offset, E1000_##at, #at, reset, writable, NULL, NULL                                       \
    }
#define ALL 0xffffffffu
/* The five of a ring, of which the tail does something. */
#define E1000_RING(offset, ring, n, tail_write)                                                    \
    {offset, ring##BAL##n, #ring "BAL" #n, 0, 0xfffffff0, NULL, NULL},                             \
        {offset + 0x04, ring##BAH##n, #ring "BAH" #n, 0, ALL, NULL, NULL},                         \
        {offset + 0x08, ring##LEN##n, #ring "LEN" #n, 0, 0x000fff80, NULL, NULL},                  \
        {offset + 0x10, ring##H##n, #ring "H" #n, 0, 0xffff, NULL, NULL},                          \
    {                                                                                              \
        offset + 0x18, ring##T##n, #ring "T" #n, 0, 0xffff, NULL, tail_write                       \
    }

/** What is one chip's alone. */
struct e1000_chip {
    const struct e1000_reg *registers; /* by offset; they go before those of all (e1000_regs.c) */
    uint32_t n_registers;
    uint32_t n_queues;      /* each way */
    uint32_t causes;        /* bits of ICR that there are */
    uint32_t mac_loop;      /* RCTL.LBM for what loops in the MAC */
    uint32_t packet_buffer; /* KiB, for both ways */
    uint16_t phy_id2;
    uint8_t reports;     /* bits of CMD that ask for a descriptor to be written back */
    uint8_t udp_checked; /* a bit of a received packet's status */
    bool rdtr_absolute;  /* RDTR runs from the first packet, not the last */
    /** Causes are there, or let through, that were not: `fresh`; or others are gone. */
    void (*interrupt)(struct e1000 *d, uint32_t fresh);
    /** A packet for the driver's buffers; answers as port_ops.rx. */
    enum port_verdict (*place)(struct e1000 *d, const struct e1000_received *r);
    /** A word of an array that others do not have; NULL: there is none. */
    uint32_t *(*array)(struct e1000 *d, uint64_t offset);
    /** A register of the PHY that is not its usual one (phy[]) now; NULL: it is. */
    uint16_t *(*phy_page)(struct e1000 *d, unsigned reg);
    void (*eeprom_fill)(struct e1000 *d);
    void (*reset)(struct e1000 *d); /* what of it CTRL.RST resets; may be NULL */
};

struct e1000_variant {
    uint16_t device;
    uint8_t revision;
    const struct e1000_chip *chip;
};

struct e1000 {
    struct nic nic;
    struct pci_function pci;
    const struct e1000_variant *variant;
    uint32_t regs[E1000_REGISTERS];
    uint32_t ims; /* what of ICR interrupts */
    uint32_t mta[E1000_MTA], vfta[E1000_VFTA], ra[E1000_RA], stats[STATS];
    uint16_t phy[E1000_PHY_REGISTERS];
    uint16_t eeprom[EEPROM93_WORDS];
    struct eeprom93 wire;
    uint32_t io_address; /* of the register behind the data port */
    struct e1000_txq tx[E1000_QUEUES];
    struct e1000_rxq rx[E1000_QUEUES];
    uint32_t tx_causes, rx_causes; /* of those queues that wait for a delayed interrupt */
    uint64_t quiet_until;          /* ITR: no interrupt before */
    struct event throttle, tx_delay, tx_absolute, rx_delay, rx_absolute, looped, rewire;
    struct packets waiting; /* of a frame that was cut, or looped back: for the driver's buffers */
};

static inline const struct e1000_chip *e1000_chip(const struct e1000 *d)
{
    return d->variant->chip;
}

static inline uint64_t e1000_now(const struct e1000 *d)
{
    return (uint64_t)d->nic.dev.env->actor->now;
}

static inline struct evq *e1000_events(struct e1000 *d)
{
    return &d->nic.dev.env->actor->events;
}

/* --- rings: descriptors of 16 bytes --- */

static inline uint32_t e1000_ring_size(const struct e1000 *d, enum e1000_register ring)
{
    return d->regs[ring + 2] / E1000_DESCRIPTOR;
}

static inline uint32_t *e1000_ring_head(struct e1000 *d, enum e1000_register ring)
{
    return &d->regs[ring + 3];
}

static inline uint32_t e1000_ring_tail(const struct e1000 *d, enum e1000_register ring)
{
    return d->regs[ring + 4];
}

/** Where its head is in memory. */
static inline uint64_t e1000_ring_address(const struct e1000 *d, enum e1000_register ring)
{
    return ((uint64_t)d->regs[ring + 1] << 32 | d->regs[ring]) +
           (uint64_t)d->regs[ring + 3] * E1000_DESCRIPTOR;
}

/** Whether head and tail are within it. */
static inline bool e1000_ring_valid(const struct e1000 *d, enum e1000_register ring)
{
    uint32_t n = e1000_ring_size(d, ring);

    return n && d->regs[ring + 3] < n && d->regs[ring + 4] < n;
}

/* --- e1000_regs.c: registers, statistics, and the device's life --- */

/** What every kind has: from the device's create, reset, finish and clone. */
void e1000_init(struct e1000 *d, const struct device_ops *ops, struct device_env *env,
                const char *name, const struct nic_config *c, const struct e1000_variant *variant);
/** All but what the PHY and the bus keep (14.9): CTRL.RST. */
void e1000_chip_reset(struct e1000 *d);
void e1000_reset(struct device *dev);
void e1000_finish(struct device *dev);
void e1000_clone(struct device *dev, const struct device *from);
void e1000_cloned(struct device *dev);

/* A BAR's handlers. */
uint64_t e1000_memory_read(struct device *dev, uint64_t offset, unsigned size);
void e1000_memory_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size);
uint64_t e1000_io_read(struct device *dev, uint64_t offset, unsigned size);
void e1000_io_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size);

/* Handlers of registers. */
void e1000_ctrl_write(struct e1000 *d, uint32_t v);
void e1000_rctl_write(struct e1000 *d, uint32_t v);
void e1000_pba_write(struct e1000 *d, uint32_t v);

/** The capability of PCI power management, which drivers and lspci look at. */
void e1000_power_add(struct e1000 *d);

/** Add to a statistic, which stays at its greatest value (13.7). */
void e1000_count(struct e1000 *d, unsigned stat, uint32_t n);
/** The same for one of 64 bits, which is two words. */
void e1000_count64(struct e1000 *d, unsigned stat, uint64_t n);
/** Count packets of a length (CRC included) in the counter of their size; `first` is that of 64. */
void e1000_count_size(struct e1000 *d, unsigned first, uint32_t len, uint32_t n);

/* --- e1000_intr.c --- */

/** Some causes are there: interrupt, as mask and throttle allow. */
void e1000_raise(struct e1000 *d, uint32_t causes);
/** INTx, from causes, mask and throttle. */
void e1000_line_update(struct e1000 *d);
void e1000_intr_init(struct e1000 *d);
uint32_t e1000_icr_read(struct e1000 *d);
void e1000_icr_write(struct e1000 *d, uint32_t v);
void e1000_ics_write(struct e1000 *d, uint32_t v);
uint32_t e1000_ims_read(struct e1000 *d);
void e1000_ims_write(struct e1000 *d, uint32_t v);
void e1000_imc_write(struct e1000 *d, uint32_t v);

/* --- e1000_phy.c: EEPROM, PHY, link --- */

void e1000_phy_init(struct e1000 *d);
void e1000_eeprom_fill(struct e1000 *d);
/** The last of the 64 words makes their sum 0xbaba. */
void e1000_eeprom_sum(struct e1000 *d);
void e1000_phy_reset(struct e1000 *d);
uint32_t e1000_eecd_read(struct e1000 *d);
void e1000_eecd_write(struct e1000 *d, uint32_t value);
void e1000_eerd_write(struct e1000 *d, uint32_t value);
void e1000_mdic_write(struct e1000 *d, uint32_t value);
/** The cable, or the driver's wish for a link, has changed. */
void e1000_link_update(struct e1000 *d);
/** Whether what is sent comes back. */
bool e1000_loops(const struct e1000 *d);

/* --- e1000_tx.c --- */

/** What is delayed interrupts now. */
void e1000_tx_flush(struct e1000 *d);
/** Its tail was written, or transmission enabled: take descriptors. */
void e1000_transmit(struct e1000_txq *q);
void e1000_tx_init(struct e1000 *d);
void e1000_tx_reset(struct e1000 *d);
void e1000_tx_clone(struct e1000 *d, const struct e1000 *from);

/* --- e1000_filter.c: what is let in, and what is said of it --- */

bool e1000_wants(const struct e1000 *d, const struct frame *f, bool *pif);
/** `out` has room for the frame and a CRC; r->data points to it. */
void e1000_describe(const struct e1000 *d, const struct frame *f, bool pif, uint8_t *out,
                    struct e1000_received *r);

/* --- e1000_rx.c --- */

enum { E1000_DD = 0x01, E1000_EOP = 0x02 }; /* the status of a descriptor */

enum port_verdict e1000_rx(struct port *p, struct frame *f);
/** A tail was written, or reception enabled: what waits may fit now. */
void e1000_receive(struct e1000 *d);
/** A frame that was sent comes back (borrowed). */
void e1000_loop(struct e1000 *d, struct frame *f);
/** Into a ring of plain descriptors (3.2.3). */
enum port_verdict e1000_place(struct e1000 *d, const struct e1000_received *r);
enum port_verdict e1000_place_in(struct e1000 *d, const struct e1000_rxq *q,
                                 const struct e1000_received *r);
uint32_t e1000_buffer_size(const struct e1000 *d);
/** Its head has gone on by so many units of 16 bytes. */
void e1000_rx_advance(struct e1000 *d, const struct e1000_rxq *q, uint32_t units);
enum e1000_next {
    E1000_NO_DESCRIPTOR, /* or it is not in RAM */
    E1000_NO_BUFFER,     /* it is passed over: only DD was written (317694, 7.1.7.2) */
    E1000_BUFFER,
};
/** Read the next descriptor into w; its byte `status` has DD. */
enum e1000_next e1000_rx_next(struct e1000 *d, const struct e1000_rxq *q, unsigned status,
                              uint8_t *w);
/**
 * PORT_TAKEN if the ring has so many units of 16 bytes; PORT_HOLD if it will have, which is counted
 * and told; PORT_DROPPED if it never can.
 */
enum port_verdict e1000_rx_room(struct e1000 *d, const struct e1000_rxq *q, uint32_t units);
/** The same for descriptors with a buffer: those without, which are passed over, do not count. */
enum port_verdict e1000_rx_buffers(struct e1000 *d, const struct e1000_rxq *q, uint32_t n);
/** What is delayed interrupts now. */
void e1000_rx_flush(struct e1000 *d);
/** A packet is in the ring: interrupt, now or later. */
void e1000_rx_done(struct e1000 *d, const struct e1000_rxq *q);
void e1000_rx_init(struct e1000 *d);
void e1000_rx_reset(struct e1000 *d);
/** The same where the port is finished already. */
void e1000_rx_forget(struct e1000 *d);
void e1000_rx_clone(struct e1000 *d, const struct e1000 *from);

/* --- rows of the state table --- */

#define E1000_CONTEXT_FIELDS(q, n)                                                                 \
    FIELD(struct e1000, tx[q].contexts[n].ipcss, FIELD_U8, 0),                                     \
        FIELD(struct e1000, tx[q].contexts[n].ipcso, FIELD_U8, 0),                                 \
        FIELD(struct e1000, tx[q].contexts[n].tucss, FIELD_U8, 0),                                 \
        FIELD(struct e1000, tx[q].contexts[n].tucso, FIELD_U8, 0),                                 \
        FIELD(struct e1000, tx[q].contexts[n].hdrlen, FIELD_U8, 0),                                \
        FIELD(struct e1000, tx[q].contexts[n].ipcse, FIELD_U16, 0),                                \
        FIELD(struct e1000, tx[q].contexts[n].tucse, FIELD_U16, 0),                                \
        FIELD(struct e1000, tx[q].contexts[n].mss, FIELD_U16, 0),                                  \
        FIELD(struct e1000, tx[q].contexts[n].tucmd, FIELD_U8, 0),                                 \
        FIELD(struct e1000, tx[q].contexts[n].paylen, FIELD_U32, 0)

#define E1000_TXQ_FIELDS(q)                                                                        \
    E1000_CONTEXT_FIELDS(q, 0), E1000_CONTEXT_FIELDS(q, 1),                                        \
        FIELD(struct e1000, tx[q].packet.too_long, FIELD_BOOL, 0),                                 \
        FIELD(struct e1000, tx[q].packet.extended, FIELD_BOOL, 0),                                 \
        FIELD(struct e1000, tx[q].packet.segments, FIELD_BOOL, 0),                                 \
        FIELD(struct e1000, tx[q].packet.tagged, FIELD_BOOL, 0),                                   \
        FIELD(struct e1000, tx[q].packet.popts, FIELD_U8, 0),                                      \
        FIELD(struct e1000, tx[q].packet.cmd, FIELD_U8, 0),                                        \
        FIELD(struct e1000, tx[q].packet.cso, FIELD_U8, 0),                                        \
        FIELD(struct e1000, tx[q].packet.css, FIELD_U8, 0),                                        \
        FIELD(struct e1000, tx[q].packet.special, FIELD_U16, 0)

#define E1000_FIELDS                                                                               \
    PCI_FIELDS(struct e1000), FIELD(struct e1000, regs, FIELD_U32, 0),                             \
        FIELD(struct e1000, ims, FIELD_U32, 0), FIELD(struct e1000, mta, FIELD_U32, 0),            \
        FIELD(struct e1000, vfta, FIELD_U32, 0), FIELD(struct e1000, ra, FIELD_U32, 0),            \
        FIELD(struct e1000, stats, FIELD_U32, 0), FIELD(struct e1000, phy, FIELD_U16, 0),          \
        FIELD(struct e1000, io_address, FIELD_U32, 0),                                             \
        FIELD(struct e1000, wire.clock, FIELD_BOOL, 0),                                            \
        FIELD(struct e1000, wire.n_in, FIELD_U8, 0), FIELD(struct e1000, wire.in, FIELD_U16, 0),   \
        FIELD(struct e1000, wire.n_out, FIELD_U8, 0), FIELD(struct e1000, wire.out, FIELD_U16, 0), \
        FIELD(struct e1000, tx_causes, FIELD_U32, 0),                                              \
        FIELD(struct e1000, rx_causes, FIELD_U32, 0),                                              \
        FIELD(struct e1000, quiet_until, FIELD_U64, 0), E1000_TXQ_FIELDS(0), E1000_TXQ_FIELDS(1)

#endif
