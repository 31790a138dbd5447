/* The Internet checksum (RFC 1071), four bytes at a time. */
#include "lwip/arch.h"

#include <stddef.h>
#include <stdint.h>

typedef uint32_t __attribute__((may_alias)) word_t;
typedef uint16_t __attribute__((may_alias)) half_t;

uint16_t checksum_sum(const void *data, int len)
{
    const uint8_t *p = data;
    int odd = (uintptr_t)p & 1;
    uint64_t sum = 0;

    /* Bytes that start at an odd address land in the other half of each word; the two
       halves are exchanged at the end (RFC 1071, section 2 (B)). */
    if (odd && len > 0) {
        sum += (uint64_t)*p++ << 8;
        len--;
    }
    if (((uintptr_t)p & 2) && len >= 2) {
        sum += *(const half_t *)p;
        p += 2;
        len -= 2;
    }
    for (; len >= 16; len -= 16, p += 16) {
        const word_t *w = (const word_t *)p;

        sum += (uint64_t)w[0] + w[1] + w[2] + w[3];
    }
    for (; len >= 4; len -= 4, p += 4)
        sum += *(const word_t *)p;
    if (len >= 2) {
        sum += *(const half_t *)p;
        p += 2;
        len -= 2;
    }
    if (len > 0)
        sum += *p;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(odd ? (sum & 0xff) << 8 | sum >> 8 : sum);
}
