/* How fast something went, as text. */
#ifndef PROGRAMS_NET_RATE_H
#define PROGRAMS_NET_RATE_H

#include <stdint.h>

enum { RATE_TEXT = 64 };

/* "1.234567 s, 68.20 Mbit/s" for so many bytes in so long a time. */
void rate_print(char to[RATE_TEXT], uint64_t bytes, uint64_t ns);

#endif
