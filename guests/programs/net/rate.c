/* How fast something went, as text. */
#include "net/rate.h"

#include <stdio.h>

#include "base/clock.h"

void rate_print(char to[RATE_TEXT], uint64_t bytes, uint64_t ns)
{
    uint64_t us = ns / NS_PER_US > 0 ? ns / NS_PER_US : 1;
    uint64_t hundredths = bytes * 800 / us; /* of a Mbit/s, which is a bit in a us */

    snprintf(to, RATE_TEXT, "%lu.%06lu s, %lu.%02lu Mbit/s", us / 1000000, us % 1000000,
             hundredths / 100, hundredths % 100);
}
