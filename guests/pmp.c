/* Physical memory protection: 16 entries of 4-byte grain (Privileged 3.7). */
#include "guests/cpu.h"

#define CFG_R 1u
#define CFG_W 2u
#define CFG_X 4u
#define CFG_A_SHIFT 3
#define CFG_L 0x80u
#define CFG_WRITABLE 0x9fu
#define ENTRIES 16u

enum { A_OFF, A_TOR, A_NA4, A_NAPOT };

static unsigned matching(uint8_t cfg)
{
    return cfg >> CFG_A_SHIFT & 3;
}

/* The bytes [*lo, *hi) that an entry covers; false: none. */
static bool range_of(const struct hart *h, unsigned i, uint64_t *lo, uint64_t *hi)
{
    uint64_t a = h->pmpaddr[i], bits;

    switch (matching(h->pmpcfg[i])) {
    case A_TOR:
        *lo = i ? h->pmpaddr[i - 1] << 2 : 0;
        *hi = a << 2;
        break;
    case A_NA4:
        *lo = a << 2;
        *hi = *lo + 4;
        break;
    case A_NAPOT:
        bits = a ^ (a + 1); /* the trailing ones and the zero above them */
        *lo = (a & ~bits) << 2;
        *hi = *lo + ((bits + 1) << 2);
        break;
    default:
        return false;
    }
    return *lo < *hi;
}

static bool permits(uint8_t cfg, enum access access, enum priv priv)
{
    static const uint8_t need[] = {
        [ACCESS_LOAD] = CFG_R, [ACCESS_STORE] = CFG_W, [ACCESS_FETCH] = CFG_X};

    return (priv == PRIV_M && !(cfg & CFG_L)) || (cfg & need[access]);
}

static bool all_off(const struct hart *h)
{
    return (load_le64(h->pmpcfg) | load_le64(h->pmpcfg + 8)) == 0;
}

/* The entry of the lowest number that matches any byte decides; it must match all (3.7.1). */
static enum pmp_page check(const struct hart *h, uint64_t pa, unsigned len, enum access access,
                           enum priv priv)
{
    uint64_t lo, hi;

    for (unsigned i = all_off(h) ? ENTRIES : 0; i < ENTRIES; i++) {
        if (!range_of(h, i, &lo, &hi) || pa + len <= lo || pa >= hi)
            continue;
        if (pa < lo || pa + len > hi)
            return PMP_MIXED;
        return permits(h->pmpcfg[i], access, priv) ? PMP_ALLOW : PMP_DENY;
    }
    return priv == PRIV_M ? PMP_ALLOW : PMP_DENY;
}

bool pmp_check(const struct hart *h, uint64_t pa, unsigned len, enum access access,
               enum priv priv)
{
    return check(h, pa, len, access, priv) == PMP_ALLOW;
}

enum pmp_page pmp_check_page(const struct hart *h, uint64_t pa, enum access access,
                             enum priv priv)
{
    return check(h, pa & ~(uint64_t)PAGE_MASK, PAGE_SIZE, access, priv);
}

uint64_t pmp_read_cfg(const struct hart *h, unsigned reg)
{
    return load_le64(h->pmpcfg + reg / 2 * 8);
}

/* Locked entries stay; W without R is reserved (3.7.1): such a write leaves R, W and X. */
void pmp_write_cfg(struct hart *h, unsigned reg, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++) {
        uint8_t *cfg = &h->pmpcfg[reg / 2 * 8 + i], want = (uint8_t)(v >> 8 * i) & CFG_WRITABLE;

        if (*cfg & CFG_L)
            continue;
        if ((want & (CFG_R | CFG_W)) == CFG_W)
            want = (uint8_t)((want & ~(CFG_R | CFG_W | CFG_X)) | (*cfg & (CFG_R | CFG_W | CFG_X)));
        *cfg = want;
    }
    tlb_flush(h);
}

/* A locked TOR entry locks the address below it too. */
void pmp_write_addr(struct hart *h, unsigned i, uint64_t v)
{
    bool next_locked = i + 1 < ENTRIES && (h->pmpcfg[i + 1] & CFG_L) &&
                       matching(h->pmpcfg[i + 1]) == A_TOR;

    if ((h->pmpcfg[i] & CFG_L) || next_locked)
        return;
    h->pmpaddr[i] = v & (UINT64_MAX >> 10);
    tlb_flush(h);
}
