/* Addresses as text, and words and numbers out of lines. */
#include "net/address.h"

#include <stdio.h>
#include <string.h>

bool parse_char(const char **s, char c)
{
    if (**s != c || c == '\0')
        return false;
    ++*s;
    return true;
}

bool parse_word(const char **s, const char *word)
{
    size_t len = strlen(word);

    if (strncmp(*s, word, len) != 0)
        return false;
    *s += len;
    return true;
}

bool parse_number(const char **s, uint64_t most, uint64_t *value)
{
    const char *at = *s;
    uint64_t n = 0;

    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        unsigned digit = (unsigned)(*at - '0');

        if (n > (most - digit) / 10 || digit > most)
            return false;
        n = n * 10 + digit;
    }
    *s = at;
    *value = n;
    return true;
}

bool parse_decimal(const char **s, uint64_t scale, uint64_t *value)
{
    const char *at = *s;
    uint64_t whole = 0, part = 0;
    bool any = parse_number(&at, UINT64_MAX / scale - 1, &whole);

    if (parse_char(&at, '.')) {
        uint64_t unit = scale;

        for (; *at >= '0' && *at <= '9'; at++, any = true) {
            unit /= 10;
            part += unit * (unsigned)(*at - '0');
        }
    }
    if (!any)
        return false;
    *s = at;
    *value = whole * scale + part;
    return true;
}

bool parse_address(const char **s, ip4_addr_t *a)
{
    const char *at = *s;
    uint64_t byte;
    uint32_t value = 0;

    for (int i = 0; i < 4; i++) {
        if ((i > 0 && !parse_char(&at, '.')) || !parse_number(&at, 255, &byte))
            return false;
        value = value << 8 | (uint32_t)byte;
    }
    *s = at;
    ip4_addr_set_u32(a, lwip_htonl(value));
    return true;
}

bool parse_prefix(const char **s, ip4_addr_t *a, ip4_addr_t *mask)
{
    const char *at = *s;
    uint64_t len;

    if (!parse_address(&at, a) || !parse_char(&at, '/') || !parse_number(&at, 32, &len))
        return false;
    prefix_to_mask((unsigned)len, mask);
    *s = at;
    return true;
}

bool address_is(const char *text, ip4_addr_t *a)
{
    return parse_address(&text, a) && *text == '\0';
}

void address_print(char to[ADDRESS_TEXT], const ip4_addr_t *a)
{
    snprintf(to, ADDRESS_TEXT, "%u.%u.%u.%u", ip4_addr1(a), ip4_addr2(a), ip4_addr3(a),
             ip4_addr4(a));
}

void mac_print(char to[MAC_TEXT], const uint8_t mac[6])
{
    snprintf(to, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5]);
}

unsigned prefix_of(const ip4_addr_t *mask)
{
    uint32_t m = lwip_ntohl(ip4_addr_get_u32(mask));
    unsigned len = 0;

    for (; m & 0x80000000u; m <<= 1)
        len++;
    return len;
}

void prefix_to_mask(unsigned len, ip4_addr_t *mask)
{
    ip4_addr_set_u32(mask, len == 0 ? 0 : lwip_htonl(0xffffffffu << (32 - len)));
}
