/*
 * The e1000's filters, and what it says of a packet: checksums and a tag (317453, 3.2, 9).
 *
 * The line brings no damaged frames, so errors are those of checksums alone; IPv6's and those of
 * SNAP frames are not checked.
 */
#include <zlib.h>

#include "devices/e1000_internal.h"
#include "sim/offload.h"

#define CRC 4
#define UDP 17

enum { IXSM = 0x04, VP = 0x08, TCPCS = 0x20, IPCS = 0x40, PIF = 0x80 };
enum { ERR_TCP = 0x20, ERR_IP = 0x40 };

/* --- filters (3.2.1) --- */

/* The exact addresses; RAH.AS says of each whether it is the receiver's, or the sender's (13.5.2).
 */
static bool address_matches(const struct e1000 *d, const struct frame *f)
{
    for (unsigned i = 0; i < E1000_RA; i += 2) {
        const uint32_t low = d->ra[i], high = d->ra[i + 1], select = high >> 16 & 3;
        const uint8_t *mac = f->data + select * ETH_ALEN;
        if ((high >> 31) && select < 2 && load_le32(mac) == low &&
            load_le16(mac + 4) == (high & 0xffff))
            return true;
    }
    return false;
}

/* Twelve bits of the address, which of them RCTL.MO says, pick a bit of the table (13.5.1). */
static bool multicast_hashed(const struct e1000 *d, const uint8_t *mac)
{
    static const uint8_t shifts[] = {4, 3, 2, 0};
    unsigned mo = d->regs[E1000_RCTL] >> 12 & 3;
    unsigned hash = load_le16(mac + 4) >> shifts[mo] & 0xfff;

    return d->mta[hash >> 5] >> (hash & 31) & 1;
}

static bool is_tagged(const struct e1000 *d, const struct frame *f)
{
    return f->len >= ETH_HLEN + 4 && load_be16(f->data + 12) == (d->regs[E1000_VET] & 0xffff);
}

/* Tags are looked at only if RCTL.VFE; frames without one pass (9.3). */
static bool tag_passes(const struct e1000 *d, const struct frame *f)
{
    uint32_t rctl = d->regs[E1000_RCTL];
    uint16_t tag;

    if (!(rctl & RCTL_VFE) || !is_tagged(d, f))
        return true;
    tag = load_be16(f->data + 14);
    if ((rctl & RCTL_CFIEN) && (tag >> 12 & 1) != !!(rctl & RCTL_CFI))
        return false;
    return d->vfta[(tag & 0xfff) >> 5] >> (tag & 31) & 1;
}

/* Whether the card wants it, and (`pif`) only because of the hash. */
bool e1000_wants(const struct e1000 *d, const struct frame *f, bool *pif)
{
    uint32_t rctl = d->regs[E1000_RCTL];
    const uint8_t *to = f->data;

    *pif = false;
    if (!tag_passes(d, f))
        return false;
    if (eth_is_broadcast(to) && (rctl & RCTL_BAM))
        return true;
    if (address_matches(d, f) || (rctl & (eth_is_multicast(to) ? RCTL_MPE : RCTL_UPE)))
        return true;
    *pif = eth_is_multicast(to) && multicast_hashed(d, to);
    return *pif;
}

/* --- what is said of a packet --- */

/* Sums of an IPv4 packet that RXCSUM asks to be checked (3.2.9). */
static void checksums_check(const struct e1000 *d, const struct frame *f, uint32_t l3,
                            struct e1000_received *r)
{
    uint32_t rxcsum = d->regs[E1000_RXCSUM];
    struct packet_sums sums;

    packet_sums_check(f, l3, rxcsum & RXCSUM_TUOFL, &sums);
    if (sums.ip && (rxcsum & RXCSUM_IPOFL)) {
        r->status |= IPCS;
        r->errors |= sums.ip_bad ? ERR_IP : 0;
    }
    if (sums.l4) {
        r->status |= TCPCS | (sums.transport == UDP ? e1000_chip(d)->udp_checked : 0);
        r->errors |= sums.l4_bad ? ERR_TCP : 0;
    }
}

/* The tag leaves the packet (9.2): `out` has room for it. */
static void tag_strip(const struct e1000 *d, const struct frame *f, uint8_t *out,
                      struct e1000_received *r)
{
    if (!(d->regs[E1000_CTRL] & CTRL_VME) || !is_tagged(d, f)) {
        memcpy(out, f->data, f->len);
        r->len = f->len;
        return;
    }
    memcpy(out, f->data, 12);
    memcpy(out + 12, f->data + 16, f->len - 16);
    r->len = f->len - 4;
    r->status |= VP;
    r->special = load_be16(f->data + 14);
}

void e1000_describe(const struct e1000 *d, const struct frame *f, bool pif, uint8_t *out,
                    struct e1000_received *r)
{
    uint32_t start = d->regs[E1000_RXCSUM] & 0xff, l3 = is_tagged(d, f) ? ETH_HLEN + 4 : ETH_HLEN;

    *r = (struct e1000_received){.data = out, .status = E1000_DD | (pif ? PIF : 0)};
    tag_strip(d, f, out, r);
    checksums_check(d, f, l3, r);
    if (!(r->status & (IPCS | TCPCS)))
        r->status |= IXSM;
    if (!(d->regs[E1000_RCTL] & RCTL_SECRC)) {
        store_le32(out + r->len, (uint32_t)crc32(0, f->data, f->len));
        r->len += CRC;
    }
    if (start < r->len && !(d->regs[E1000_RXCSUM] & RXCSUM_PCSD)) /* of what is stored (3.2.9) */
        r->checksum = inet_fold(inet_sum(0, out + start, r->len - start));
}
