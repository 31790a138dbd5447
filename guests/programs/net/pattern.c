/* The bytes of bulk transfers, and the checksum that tells whether they arrived. */
#include "net/pattern.h"

#define P64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#define P256 P64 P64 P64 P64
#define P1024 P256 P256 P256 P256

const char pattern[] __attribute__((aligned(8))) = P1024 P1024 P64;

/* Four bits at a time: sixteen entries serve as well as 256, in one cache line. */
uint32_t crc32_add(uint32_t crc, const void *bytes, unsigned len)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    const uint8_t *p = bytes;

    crc = ~crc;
    for (; len > 0; len--, p++) {
        crc = table[(crc ^ *p) & 15] ^ crc >> 4;
        crc = table[(crc ^ *p >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}
