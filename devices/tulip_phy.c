/*
 * The tulip's serial ROM, its PHY on the MII, and the SIA, which is the chip's own port
 * (278074, 3.2.2; "21X4 Serial ROM Format", version 4).
 *
 *     ROM     0 subsystem | 16 CRC | 18 version | 19 one controller | 20 address | 27 leaf at |
 *     leaf    | connection 2 | blocks 1 | block: length, type, ... |          126 | CRC 2 |
 *
 * The cable ends at both: a driver that goes by the ROM uses the PHY, at address 1, and one that
 * would rather have the SIA negotiate may. Simplifications: the far end can do 100BASE-TX in full
 * duplex and does whatever it is asked; negotiating takes a fixed time, at the PHY none.
 */
#include <zlib.h>

#include "devices/tulip_internal.h"

/* --- the serial ROM --- */

enum {
    ROM_SUBSYSTEM = 0,
    ROM_ID_CRC = 16,
    ROM_VERSION = 18,
    ROM_CONTROLLERS = 19,
    ROM_ADDRESS = 20,
    ROM_LEAF_AT = 27,
    ROM_LEAF = 30,
    ROM_CRC = 126,
    ROM_SIZE = 128,
};

/* CRC-8 with x^8 + x^2 + x + 1 over the first words but for its own byte, upper bytes first. */
static uint8_t id_crc(const uint8_t *rom)
{
    uint8_t crc = 0xff;

    for (unsigned i = 0; i < ROM_ID_CRC + 1; i++) {
        crc ^= rom[i < ROM_ID_CRC ? i ^ 1 : ROM_ID_CRC + 1];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = (uint8_t)(crc << 1 ^ (crc & 0x80 ? 0x07 : 0));
    }
    return crc;
}

/* One block of type 3: a PHY on the MII, without sequences for the general-purpose pins. */
static void leaf_fill(uint8_t *leaf)
{
    static const uint8_t bytes[] = {
        0x00,      0x08,    /* sense the medium */
        1,                  /* block */
        0x80 | 13, 3,       /* bytes of it from here on; its type */
        0,         0,    0, /* PHY; words to initialise, and to reset it */
        0x00,      0x78,    /* 10 and 100 Mbit/s, half and full duplex */
        0xe0,      0x01,    /* to be advertised */
        0x00,      0x50,    /* of which full duplex */
        0x00,      0x18,    /* and 10 Mbit/s */
        0,                  /* no interrupt from it */
    };

    memcpy(leaf, bytes, sizeof(bytes));
}

void tulip_srom_fill(struct tulip *d)
{
    uint8_t rom[ROM_SIZE] = {0};

    memcpy(rom + ROM_SUBSYSTEM, d->pci.initial + PCI_SUBSYSTEM_VENDOR, 4);
    rom[ROM_VERSION] = 4;
    rom[ROM_CONTROLLERS] = 1;
    memcpy(rom + ROM_ADDRESS, d->nic.config.mac, ETH_ALEN);
    store_le16(rom + ROM_LEAF_AT, ROM_LEAF);
    leaf_fill(rom + ROM_LEAF);
    rom[ROM_ID_CRC] = id_crc(rom);
    store_le16(rom + ROM_CRC, (uint16_t)crc32(0, rom, ROM_CRC));
    for (unsigned i = 0; i < EEPROM93_WORDS; i++)
        d->srom[i] = load_le16(rom + 2 * i);
}

/* --- the PHY: National's DP83840A, as far as IEEE 802.3 has it (22.2.4) --- */

#define PHY 1
#define BMCR_RESET_VALUE 0x3100 /* negotiate; 100 Mbit/s, full duplex */
#define BMCR_WRITABLE 0x7d80    /* a reset, and negotiating anew, are done at once */
#define ANAR_RESET_VALUE 0x01e1

enum { BMCR, BMSR, PHYIDR1, PHYIDR2, ANAR, ANLPAR, ANER };
enum { BMCR_RESET = 0x8000, BMCR_LOOP = 0x4000, BMCR_NEGOTIATE = 0x1000, BMCR_OFF = 0x0800 };
enum { BMSR_ABLE = 0x7849, BMSR_NEGOTIATED = 0x0020, BMSR_LINK = 0x0004 };

static bool phy_link(const struct tulip *d)
{
    return d->nic.port.up && !(d->bmcr & BMCR_OFF);
}

/* Only what goes by way of the MII comes to it. */
bool tulip_phy_loops(const struct tulip *d)
{
    return (d->csr[6] & (CSR6_PS | CSR6_PCS)) == CSR6_PS && (d->bmcr & BMCR_LOOP);
}

/* That the link was lost shows once. */
static uint16_t bmsr_read(struct tulip *d)
{
    bool lost = d->link_lost, up = phy_link(d);

    d->link_lost = !up;
    return (uint16_t)(BMSR_ABLE | (up && !lost ? BMSR_LINK : 0) |
                      (up && (d->bmcr & BMCR_NEGOTIATE) ? BMSR_NEGOTIATED : 0));
}

static uint16_t phy_read(struct tulip *d, unsigned reg)
{
    switch (reg) {
    case BMCR: return d->bmcr;
    case BMSR: return bmsr_read(d);
    case PHYIDR1: return 0x2000;
    case PHYIDR2: return 0x5c01;
    case ANAR: return d->anar;
    case ANLPAR: return phy_link(d) ? 0x45e1 : 0;
    case ANER: return phy_link(d) ? 1 : 0;
    default: return 0;
    }
}

static void phy_write(struct tulip *d, unsigned reg, uint16_t v)
{
    if (reg == BMCR && (v & BMCR_RESET))
        tulip_phy_reset(d);
    else if (reg == BMCR)
        d->bmcr = v & BMCR_WRITABLE;
    else if (reg == ANAR)
        d->anar = v;
}

void tulip_phy_reset(struct tulip *d)
{
    d->bmcr = BMCR_RESET_VALUE;
    d->anar = ANAR_RESET_VALUE;
    d->link_lost = false;
}

/* --- CSR9: wires to both --- */

enum {
    ROM_CS = 1 << 0,
    ROM_CLOCK = 1 << 1,
    ROM_IN = 1 << 2,
    ROM_OUT = 1 << 3,
    ROM_SELECT = 1 << 11,
    MII_CLOCK = 1 << 16,
    MII_OUT = 1 << 17,
    MII_READS = 1 << 18, /* the card does not drive the wire */
    MII_IN = 1 << 19,
};

void tulip_wires_written(struct tulip *d, uint32_t was)
{
    uint32_t v = d->csr[9];
    struct mdio_request asked;
    enum mdio_event event = mdio_write(&d->mdio, v & MII_CLOCK, v & (MII_READS | MII_OUT), &asked);

    (void)was;
    eeprom93_write(&d->srom_wire, d->srom, (v & ROM_SELECT) && (v & ROM_CS), v & ROM_CLOCK,
                   v & ROM_IN);
    if (event == MDIO_NOTHING || asked.phy != PHY)
        return;
    if (event == MDIO_READ)
        mdio_answer(&d->mdio, phy_read(d, asked.reg));
    else
        phy_write(d, asked.reg, asked.value);
}

uint32_t tulip_wires_read(struct tulip *d)
{
    uint32_t v = d->csr[9] & ~(uint32_t)(ROM_OUT | MII_IN);

    return v | (eeprom93_read(&d->srom_wire) ? ROM_OUT : 0) | (mdio_read(&d->mdio) ? MII_IN : 0);
}

/* --- the SIA: CSR12 to CSR14 --- */

#define NEGOTIATION (100 * NS_PER_MS)
#define PARTNER 0x45e1u /* the far end's code word */

enum {
    CSR12_NO_100 = 1 << 1,
    CSR12_NO_10 = 1 << 2,
    CSR12_ONES = 0xc0,
    CSR12_STATE = 7 << 12, /* of negotiation */
    CSR12_BEGIN = 1 << 12, /* what is written to negotiate anew */
    CSR12_DETECT = 2 << 12,
    CSR12_GOOD = 5 << 12,
    CSR12_ANSWERED = 1 << 15,
};
enum { CSR13_ON = 1 << 0, CSR14_NEGOTIATE = 1 << 7 };

static bool negotiates(const struct tulip *d)
{
    return (d->csr[13] & CSR13_ON) && (d->csr[14] & CSR14_NEGOTIATE);
}

static bool is_10baset(const struct tulip *d)
{
    return !(d->csr[6] & CSR6_PS) && (d->csr[13] & CSR13_ON);
}

static bool is_100basetx(const struct tulip *d)
{
    return (d->csr[6] & CSR6_PS) && (d->csr[6] & CSR6_PCS);
}

static void negotiation_begin(struct tulip *d)
{
    d->csr[12] = d->nic.port.up ? CSR12_BEGIN : CSR12_DETECT;
    if (d->nic.port.up)
        evq_arm(tulip_events(d), &d->negotiated, tulip_now(d) + NEGOTIATION);
    else
        evq_cancel(tulip_events(d), &d->negotiated);
}

static void negotiated_fire(struct event *ev, vtime_t now)
{
    struct tulip *d = container_of(ev, struct tulip, negotiated);

    (void)now;
    d->csr[12] = PARTNER << 16 | CSR12_ANSWERED | CSR12_GOOD;
    tulip_raise(d, CSR5_ANC);
}

/* Negotiating ends when it is not enabled any more. */
void tulip_sia_written(struct tulip *d, uint32_t was)
{
    (void)was;
    if (!negotiates(d)) {
        d->csr[12] = 0;
        evq_cancel(tulip_events(d), &d->negotiated);
    }
}

void tulip_negotiate_written(struct tulip *d, uint32_t was)
{
    uint32_t asked = d->csr[12] & CSR12_STATE;

    d->csr[12] = was;
    if (asked == CSR12_BEGIN && negotiates(d))
        negotiation_begin(d);
}

uint32_t tulip_sia_read(struct tulip *d)
{
    bool up = d->nic.port.up, done = (d->csr[12] & CSR12_STATE) == CSR12_GOOD;
    bool sees_100 = up && (is_100basetx(d) || done);
    bool sees_10 = up && is_10baset(d) && !negotiates(d);

    return d->csr[12] | CSR12_ONES | (sees_100 ? 0 : CSR12_NO_100) | (sees_10 ? 0 : CSR12_NO_10);
}

/* The port that is selected tells of its link; of the PHY's, its registers alone. */
void tulip_carrier(struct port *p, bool up)
{
    struct tulip *d = container_of(p, struct tulip, nic.port);

    d->link_lost |= !up;
    if (is_100basetx(d))
        tulip_raise(d, CSR5_LC);
    else if (is_10baset(d) && !up)
        tulip_raise(d, CSR5_LNF);
    else if (is_10baset(d) && !negotiates(d))
        tulip_raise(d, CSR5_ANC);
    if (negotiates(d) && d->csr[12])
        negotiation_begin(d);
}

void tulip_sia_init(struct tulip *d)
{
    event_init(tulip_events(d), &d->negotiated, negotiated_fire);
}

void tulip_sia_reset(struct tulip *d)
{
    evq_cancel(tulip_events(d), &d->negotiated);
}
