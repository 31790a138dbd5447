/* The multicast groups that an interface is in, as the filters of cards want to know them. */
#include "net/groups.h"

#include "net/pattern.h"

bool groups_next(const struct nic *nic, const struct igmp_group **at, uint8_t mac[ETH_HWADDR_LEN])
{
    const ip4_addr_t *group;

    *at = *at ? (*at)->next : netif_igmp_data(&nic->netif);
    if (!*at)
        return false;
    group = &(*at)->group_address;
    mac[0] = LL_IP4_MULTICAST_ADDR_0;
    mac[1] = LL_IP4_MULTICAST_ADDR_1;
    mac[2] = LL_IP4_MULTICAST_ADDR_2;
    mac[3] = ip4_addr2(group) & 0x7f;
    mac[4] = ip4_addr3(group);
    mac[5] = ip4_addr4(group);
    return true;
}

uint32_t groups_crc(const uint8_t mac[ETH_HWADDR_LEN])
{
    return ~crc32_add(0, mac, ETH_HWADDR_LEN);
}

static unsigned bit_first(uint32_t crc)
{
    unsigned n = 0;

    for (unsigned bit = 0; bit < 6; bit++)
        n = n << 1 | (crc >> bit & 1);
    return n;
}

static unsigned bit_last(uint32_t crc)
{
    return crc >> 26;
}

static uint64_t hash(const struct nic *nic, unsigned (*bit)(uint32_t crc))
{
    const struct igmp_group *at = NULL;
    uint8_t mac[ETH_HWADDR_LEN];
    uint64_t bits = 0;

    while (groups_next(nic, &at, mac))
        bits |= UINT64_C(1) << bit(groups_crc(mac));
    return bits;
}

uint64_t groups_hash_first(const struct nic *nic)
{
    return hash(nic, bit_first);
}

uint64_t groups_hash_last(const struct nic *nic)
{
    return hash(nic, bit_last);
}
