/* The bytes that bulk transfers and /bytes/N carry: byte i is character i mod 64 of the
   base-64 alphabet. */
#ifndef PROGRAMS_NET_PATTERN_H
#define PROGRAMS_NET_PATTERN_H

#include <stdint.h>

enum { PATTERN = 2048, PATTERN_PERIOD = 64 };

/* PATTERN + PATTERN_PERIOD bytes of it, so that PATTERN bytes follow any start. */
extern const char pattern[];

/* CRC-32 (IEEE 802.3), continued from `crc`, which starts at 0. */
uint32_t crc32_add(uint32_t crc, const void *bytes, unsigned len);

#endif
