/*
 * What the files of the rtl8139 share. Sections are those of Realtek's RTL8139C(L)+ data sheet; the
 * registers are those of the RTL8139D(L) programming guide too.
 */
#ifndef DEVICES_RTL8139_INTERNAL_H
#define DEVICES_RTL8139_INTERNAL_H

#include "devices/eeprom93.h"
#include "devices/packets.h"
#include "devices/pci.h"
#include "devices/rtl8139.h"
#include "devices/rx_poll.h"

/* Registers by offset. */
enum {
    RTL_IDR = 0x00, RTL_MAR = 0x08, RTL_TSD = 0x10, RTL_TSAD = 0x20, RTL_RBSTART = 0x30,
    RTL_ERBCR = 0x34, RTL_ERSR = 0x36, RTL_CR = 0x37, RTL_CAPR = 0x38, RTL_CBR = 0x3a,
    RTL_IMR = 0x3c, RTL_ISR = 0x3e, RTL_TCR = 0x40, RTL_RCR = 0x44, RTL_TCTR = 0x48,
    RTL_MPC = 0x4c, RTL_9346CR = 0x50, RTL_CONFIG0 = 0x51, RTL_CONFIG1 = 0x52,
    RTL_TIMERINT = 0x54, RTL_MSR = 0x58, RTL_CONFIG3 = 0x59, RTL_CONFIG4 = 0x5a,
    RTL_MULINT = 0x5c, RTL_RERID = 0x5e, RTL_TSAD_STATUS = 0x60, RTL_BMCR = 0x62, RTL_BMSR = 0x64,
    RTL_ANAR = 0x66, RTL_ANLPAR = 0x68, RTL_ANER = 0x6a, RTL_CSCR = 0x74, RTL_CONFIG5 = 0xd8,
    RTL_TPPOLL = 0xd9, RTL_CPCR = 0xe0, RTL_RDSAR = 0xe4, RTL_ETTHR = 0xec, RTL_SIZE = 0x100,
    RTL_TNPDS = 0x20, RTL_THPDS = 0x28, RTL_DTCCR = 0x10,
};

enum { CR_BUFE = 0x01, CR_TE = 0x04, CR_RE = 0x08, CR_RST = 0x10 };
enum {
    ISR_ROK = 0x0001, ISR_RER = 0x0002, ISR_TOK = 0x0004, ISR_TER = 0x0008, ISR_RXOVW = 0x0010,
    ISR_LINK = 0x0020, ISR_FOVW = 0x0040, ISR_TDU = 0x0080, ISR_SWINT = 0x0100,
    ISR_TIMEOUT = 0x4000, ISR_SERR = 0x8000,
};
enum { RCR_AAP = 1, RCR_APM = 2, RCR_AM = 4, RCR_AB = 8, RCR_WRAP = 0x80 };
enum { CPCR_TX = 1, CPCR_RX = 2, CPCR_CHECKSUM = 0x20, CPCR_VLAN = 0x40 };
#define TCR_LOOPBACK (3u << 17)
#define TCR_NO_CRC (1u << 16)
#define TSD_WRITABLE 0x003f3fffu
#define TSD_OWN (1u << 13)
#define TSD_TOK (1u << 15)
#define TSD_ABORTED (1u << 30)

/* What is counted of good packets. */
enum {
    TALLY_TX_OK, TALLY_RX_OK, TALLY_RX_PHYSICAL, TALLY_RX_BROADCAST, TALLY_RX_MULTICAST,
    TALLY_MISSED, RTL_TALLIES,
};

struct rtl8139 {
    struct nic nic;
    struct pci_function pci;
    uint8_t regs[RTL_SIZE]; /* as software sees them, little-endian; side effects apart */
    uint16_t eeprom[EEPROM93_WORDS];
    struct eeprom93 wire;
    uint8_t tx_next;      /* of the four descriptors, the one to be sent next */
    uint32_t cp_tx, cp_rx; /* C+: indices of the descriptors to be used next */
    struct frame *tx;     /* C+: what has come of a packet so far, or NULL */
    bool tx_bad;
    uint64_t tally[RTL_TALLIES];
    uint64_t timer_start; /* virtual time at which TCTR was 0 */
    struct event looped, tx_more, timer;
    struct rx_poll poll;
    struct packets waiting;
};

static inline struct evq *rtl8139_events(struct rtl8139 *d)
{
    return &d->nic.dev.env->actor->events;
}

static inline struct dma *rtl8139_dma(struct rtl8139 *d)
{
    return d->nic.dev.env->dma;
}

/* Registers as numbers. */
static inline uint16_t reg16(const struct rtl8139 *d, unsigned at)
{
    return load_le16(d->regs + at);
}

static inline uint32_t reg32(const struct rtl8139 *d, unsigned at)
{
    return load_le32(d->regs + at);
}

/* --- the rings of the C+, of descriptors of either kind --- */

#define RTL_DESCRIPTOR 16
#define RTL_RING 64 /* of them at most */

enum { D_OWN = 1u << 31, D_EOR = 1 << 30, D_FS = 1 << 29, D_LS = 1 << 28 };

/* Which is used after number `i`, whose first word is `flags`. */
static inline uint32_t ring_next(uint32_t i, uint32_t flags)
{
    return (flags & D_EOR) || i == RTL_RING - 1 ? 0 : i + 1;
}

/* --- rtl8139.c --- */

/** Set causes in ISR, and the line. */
void rtl8139_raise(struct rtl8139 *d, uint16_t causes);

/* --- rtl8139_tally.c --- */

/** DTCCR was written: the counters go to memory, if it says so. */
void rtl8139_tally_dump(struct rtl8139 *d);

/* --- rtl8139_tx.c --- */

/** Descriptor `n` was given (C mode). */
void rtl8139_send(struct rtl8139 *d);
/** TPPoll: look at the C+ ring. */
void rtl8139_poll(struct rtl8139 *d);
void rtl8139_tx_reset(struct rtl8139 *d);

/* --- rtl8139_rx.c --- */

enum port_verdict rtl8139_rx(struct port *p, struct frame *f);
/** There may be room: CAPR moved, or reception was enabled. */
void rtl8139_receive(struct rtl8139 *d);
/** Whether the receive buffer holds nothing that the driver has not read (CR.BUFE). */
bool rtl8139_is_empty(const struct rtl8139 *d);
void rtl8139_rx_reset(struct rtl8139 *d);

#endif
