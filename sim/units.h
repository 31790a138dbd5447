/* The units every object takes: "20us", "1Gbit", "64M". */
#ifndef SIM_UNITS_H
#define SIM_UNITS_H

#include <stdbool.h>

#include "sim/base.h"

/* Each parses the whole string and returns whether it was one; *out is untouched if not.
 * Decimal fractions are allowed ("1.5ms"); negative values and overflow are refused. */

/** A time: ns, us, ms, s, min, h. No unit: refused, except "0". */
bool units_time(const char *s, vtime_t *ns);

/** A rate in bits per second: bit, Kbit, Mbit, Gbit, Tbit (powers of 1000; "/s" or "bps" too). */
bool units_rate(const char *s, uint64_t *bps);

/** A size in bytes: B or none, K, M, G (powers of 1024; "KiB", "MB" too). */
bool units_size(const char *s, uint64_t *bytes);

/** Print a time as a person would write it ("1.5ms"), into buf, which is returned. */
const char *units_format_time(vtime_t ns, char *buf, size_t size);
const char *units_format_size(uint64_t bytes, char *buf, size_t size);

#endif
