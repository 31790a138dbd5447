/*
 * What the files of the e1000 share. Sections are those of Intel's "PCI/PCI-X Family of Gigabit
 * Ethernet Controllers Software Developer's Manual", 317453.
 */
#ifndef DEVICES_E1000_INTERNAL_H
#define DEVICES_E1000_INTERNAL_H

#include "devices/e1000.h"
#include "devices/eeprom93.h"
#include "devices/packets.h"
#include "devices/pci.h"

/* Registers that are kept in regs[] (chapter 13); arrays and statistics are apart. */
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
    E1000_WUPL, E1000_SWSM,
    E1000_REGISTERS
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
#define ICR_CAUSES 0x1ffffu

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

#define TCTL_EN (1u << 1)
#define RXCSUM_IPOFL (1u << 8)
#define RXCSUM_TUOFL (1u << 9)

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
    STATS = 0x100 / 4
};

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
    uint8_t popts, cmd;  /* of its first, and its last descriptor */
    uint8_t cso, css;    /* legacy */
    uint16_t special;
};

struct e1000_variant {
    const char *name;
    uint16_t device, phy_id2;
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
    uint32_t io_address;              /* of the register behind the data port */
    struct e1000_context contexts[2]; /* for checksums, and for segmentation */
    struct e1000_packet packet;
    uint64_t quiet_until; /* ITR: no interrupt before */
    struct event throttle, tx_delay, tx_absolute, rx_delay, rx_absolute, tx_more, looped, rewire;
    struct packets waiting; /* of a frame that was cut, or looped back: for the driver's buffers */
};

static inline uint64_t e1000_now(const struct e1000 *d)
{
    return (uint64_t)d->nic.dev.env->actor->now;
}

static inline struct evq *e1000_events(struct e1000 *d)
{
    return &d->nic.dev.env->actor->events;
}

/* --- e1000.c: registers and interrupts --- */

/** Some causes are there: interrupt, as mask and throttle allow. */
void e1000_raise(struct e1000 *d, uint32_t causes);

/** Add to a 64-bit statistic, which is two words. */
void e1000_count64(struct e1000 *d, unsigned stat, uint64_t n);
/** Count a packet of a length (CRC included) in the counter of its size; `first` is that of 64. */
void e1000_count_size(struct e1000 *d, unsigned first, uint32_t len);

/* --- e1000_phy.c: EEPROM, PHY, link --- */

void e1000_phy_init(struct e1000 *d);
void e1000_eeprom_fill(struct e1000 *d);
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

/** TDT was written, or transmission enabled: take descriptors. */
void e1000_transmit(struct e1000 *d);
void e1000_tx_init(struct e1000 *d);
void e1000_tx_reset(struct e1000 *d);
void e1000_tx_clone(struct e1000 *d, const struct e1000 *from);

/* --- e1000_rx.c --- */

enum port_verdict e1000_rx(struct port *p, struct frame *f);
/** RDT was written, or reception enabled: what waits may fit now. */
void e1000_receive(struct e1000 *d);
/** A frame that was sent comes back (borrowed). */
void e1000_loop(struct e1000 *d, struct frame *f);
void e1000_rx_init(struct e1000 *d);
void e1000_rx_reset(struct e1000 *d);
void e1000_rx_clone(struct e1000 *d, const struct e1000 *from);

#endif
