/*
 * National Semiconductor's DP8390 network controller on the NE2000's board, whatever the bus.
 *
 * Sections are those of the DP8390D/NS32490D data sheet (July 1995). The board:
 *
 *     ports    0x00 the controller's registers, in pages    0x10 data    0x18 reset
 *     memory   0x0000 PROM, 32 bytes                        0x4000 RAM, 16 KiB
 */
#ifndef DEVICES_DP8390_H
#define DEVICES_DP8390_H

#include "devices/nic.h"
#include "devices/packets.h"

#define DP8390_PORTS 0x20
#define DP8390_RAM_BASE 0x4000
#define DP8390_RAM_SIZE 0x4000
#define DP8390_PROM_SIZE 0x20
#define DP8390_FIFO 8 /* what of its 16 bytes loopback shows */

/* CR (10.3). */
enum { CR_STP = 0x01, CR_STA = 0x02, CR_TXP = 0x04, CR_RD = 0x38, CR_PS = 0xc0 };
enum { RD_NONE = 0x00, RD_READ = 0x08, RD_WRITE = 0x10, RD_SEND = 0x18, RD_ABORT = 0x20 };

/* ISR and IMR. */
enum {
    ISR_PRX = 0x01,
    ISR_PTX = 0x02,
    ISR_RXE = 0x04,
    ISR_TXE = 0x08,
    ISR_OVW = 0x10,
    ISR_CNT = 0x20,
    ISR_RDC = 0x40,
    ISR_RST = 0x80,
};

enum { DCR_WTS = 0x01, DCR_BOS = 0x02, DCR_LAS = 0x04, DCR_LS = 0x08, DCR_AR = 0x10 };
enum {
    TCR_CRC = 0x01,
    TCR_LB = 0x06,
    LB_NONE = 0x00,
    LB_NIC = 0x02,
    LB_ENDEC = 0x04,
    LB_EXTERNAL = 0x06
};
enum { TSR_PTX = 0x01, TSR_ND = 0x02, TSR_CRS = 0x10, TSR_CDH = 0x40 };
enum {
    RCR_SEP = 0x01,
    RCR_AR = 0x02,
    RCR_AB = 0x04,
    RCR_AM = 0x08,
    RCR_PRO = 0x10,
    RCR_MON = 0x20
};
enum { RSR_PRX = 0x01, RSR_CRC = 0x02, RSR_MPA = 0x10, RSR_PHY = 0x20, RSR_DIS = 0x40 };

enum { TALLY_ALIGNMENT, TALLY_CRC, TALLY_MISSED, TALLIES };

struct dp8390;

/** What differs between the chips that have this core. */
struct dp8390_kind {
    uint8_t id[2]; /* page 0, 0x0a and 0x0b; the DP8390's reads all ones there */
    bool realtek;  /* page 3 is the RTL8029AS's */
    void (*interrupt)(struct dp8390 *d, bool level);
};

/** First in the struct of a card, so that it is the device's object on either bus. */
struct dp8390 {
    struct nic nic;
    const struct dp8390_kind *kind;
    uint8_t cr, isr, imr, dcr, tcr, tsr, rcr, rsr;
    uint8_t pstart, pstop, bnry, curr, tpsr; /* pages of 256 bytes */
    uint8_t remote_next, local_next;         /* of page 2: for diagnosis */
    uint8_t par[ETH_ALEN], mar[8], tally[TALLIES];
    uint8_t cr9346, config2, config3; /* the RTL8029AS's */
    uint8_t fifo[DP8390_FIFO], fifo_at;
    uint16_t tbcr;
    uint16_t clda;       /* where the last frame that was received ends */
    uint16_t rsar, rbcr; /* where the remote DMA is (CRDA), and how many bytes it has to go */
    bool remote;         /* it is under way */
    bool full;           /* CURR has come to BNRY from behind: the ring has no free page */
    bool overflowed;     /* nothing is received until pages are freed */
    uint8_t ram[DP8390_RAM_SIZE];
    struct event tx_event;  /* a frame waits for room on the line */
    struct packets waiting; /* of a frame that was cut: empty between calls, for none is held */
};

#define DP8390_FIELDS                                                                              \
    FIELD(struct dp8390, cr, FIELD_U8, CR_STP | RD_ABORT),                                         \
        FIELD(struct dp8390, isr, FIELD_U8, ISR_RST), FIELD(struct dp8390, imr, FIELD_U8, 0),      \
        FIELD(struct dp8390, dcr, FIELD_U8, DCR_LAS), FIELD(struct dp8390, tcr, FIELD_U8, 0),      \
        FIELD(struct dp8390, tsr, FIELD_U8, 0), FIELD(struct dp8390, rcr, FIELD_U8, 0),            \
        FIELD(struct dp8390, rsr, FIELD_U8, 0), FIELD(struct dp8390, pstart, FIELD_U8, 0),         \
        FIELD(struct dp8390, pstop, FIELD_U8, 0), FIELD(struct dp8390, bnry, FIELD_U8, 0),         \
        FIELD(struct dp8390, curr, FIELD_U8, 0), FIELD(struct dp8390, tpsr, FIELD_U8, 0),          \
        FIELD(struct dp8390, remote_next, FIELD_U8, 0),                                            \
        FIELD(struct dp8390, local_next, FIELD_U8, 0), FIELD(struct dp8390, par, FIELD_U8, 0),     \
        FIELD(struct dp8390, mar, FIELD_U8, 0), FIELD(struct dp8390, tally, FIELD_U8, 0),          \
        FIELD(struct dp8390, cr9346, FIELD_U8, 0), FIELD(struct dp8390, config2, FIELD_U8, 0),     \
        FIELD(struct dp8390, config3, FIELD_U8, 0x01), FIELD(struct dp8390, fifo, FIELD_U8, 0),    \
        FIELD(struct dp8390, fifo_at, FIELD_U8, 0), FIELD(struct dp8390, tbcr, FIELD_U16, 0),      \
        FIELD(struct dp8390, rsar, FIELD_U16, 0), FIELD(struct dp8390, rbcr, FIELD_U16, 0),        \
        FIELD(struct dp8390, clda, FIELD_U16, 0), FIELD(struct dp8390, remote, FIELD_BOOL, 0),     \
        FIELD(struct dp8390, full, FIELD_BOOL, 0),                                                 \
        FIELD(struct dp8390, overflowed, FIELD_BOOL, 0), FIELD(struct dp8390, ram, FIELD_U8, 0)

/** Make one within a card's struct: its device (ops are the card's) and its port. */
void dp8390_init(struct dp8390 *d, const struct dp8390_kind *kind, const struct device_ops *ops,
                 struct device_env *env, const char *name, const struct nic_config *c);

/* The card's ops call these; dp8390_reset comes after the card's bus has been reset. */
void dp8390_reset(struct dp8390 *d);
void dp8390_finish(struct device *dev);
void dp8390_clone(struct device *dev, const struct device *from);
void dp8390_cloned(struct device *dev);

/** The card's ports, offset < DP8390_PORTS: 1, 2 or 4 bytes, whatever the bus lets through. */
uint64_t dp8390_read(struct device *dev, uint64_t offset, unsigned size);
void dp8390_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size);

/* --- what the parts of it ask of each other --- */

/** dp8390.c: causes are there; interrupt as the mask allows. */
void dp8390_raise(struct dp8390 *d, uint8_t causes);
/** dp8390.c: stopped, and nothing is under way any more. */
void dp8390_rest(struct dp8390 *d);
static inline bool dp8390_running(const struct dp8390 *d)
{
    return (d->cr & (CR_STP | CR_STA)) == CR_STA;
}

/** dp8390_remote.c: the board's memory as the controller's DMA sees it; what is not there is all
 * ones. */
uint8_t dp8390_memory_read(const struct dp8390 *d, uint16_t at);
void dp8390_memory_write(struct dp8390 *d, uint16_t at, uint8_t v);
/** A command for the remote DMA was written to CR. */
void dp8390_remote_command(struct dp8390 *d, uint8_t rd);
/** The data port. */
uint32_t dp8390_data_read(struct dp8390 *d, unsigned size);
void dp8390_data_write(struct dp8390 *d, uint32_t value, unsigned size);
/** BNRY was written, by software or by a send packet command. */
void dp8390_boundary_set(struct dp8390 *d, uint8_t page);

/** dp8390_wire.c: TXP was written; a frame has come. */
void dp8390_transmit(struct dp8390 *d);
/** STP was written while TXP: the frame leaves soon, and then the chip rests. Or STA again. */
void dp8390_transmit_finish(struct dp8390 *d);
void dp8390_transmit_resume(struct dp8390 *d);
enum port_verdict dp8390_rx(struct port *p, struct frame *f);
void dp8390_tx_fire(struct event *ev, vtime_t now);

#endif
