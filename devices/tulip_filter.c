/*
 * The tulip's address filter, which the driver loads by sending a setup frame (278074, 4.2.3).
 *
 *     perfect, inverse   16 addresses of 12 bytes: | 1 2 - - | 3 4 - - | 5 6 - - |
 *     hash               32 times | 16 bits - - |, then at byte 156 one address
 *
 * There is no address of its own but these, and broadcasts are a group like any other.
 */
#include <zlib.h>

#include "devices/tulip_internal.h"

#define ENTRIES 16
#define ENTRY 12
#define HASH_ADDRESS 156
#define HASH_BITS 512

/* FT1 and FT0 show in CSR6. */
void tulip_filter_set(struct tulip *d, const uint8_t setup[TULIP_SETUP], unsigned type)
{
    static const uint32_t modes[] = {0, CSR6_HP, CSR6_IF, CSR6_HP | CSR6_HO};

    memcpy(d->setup, setup, TULIP_SETUP);
    d->csr[6] = (d->csr[6] & ~(uint32_t)CSR6_FILTER) | modes[type & 3];
}

static bool is_address(const uint8_t *entry, const uint8_t *mac)
{
    return memcmp(entry, mac, 2) == 0 && memcmp(entry + 4, mac + 2, 2) == 0 &&
           memcmp(entry + 8, mac + 4, 2) == 0;
}

static bool is_listed(const struct tulip *d, const uint8_t *mac)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        if (is_address(d->setup + i * ENTRY, mac))
            return true;
    return false;
}

/* The nine bits of the address's CRC that are sent last pick a bit. */
static bool is_hashed(const struct tulip *d, const uint8_t *mac)
{
    uint32_t bit = ~(uint32_t)crc32(0, mac, ETH_ALEN) % HASH_BITS;

    return load_le16(d->setup + bit / 16 * 4) >> bit % 16 & 1;
}

bool tulip_filter_matches(const struct tulip *d, const uint8_t *mac)
{
    uint32_t mode = d->csr[6];

    if (mode & CSR6_HO)
        return is_hashed(d, mac);
    if (mode & CSR6_HP)
        return eth_is_multicast(mac) ? is_hashed(d, mac) : is_address(d->setup + HASH_ADDRESS, mac);
    return is_listed(d, mac) != !!(mode & CSR6_IF);
}
