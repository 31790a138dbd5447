/* Parsing and printing of quantities with units. */
#include "sim/units.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>

struct unit {
    const char *name;
    double scale;
};

static const struct unit times[] = {
    {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"min", 60e9}, {"h", 3600e9}, {NULL, 0},
};

static const struct unit rates[] = {
    {"bit", 1},        {"Kbit", 1e3},     {"Mbit", 1e6},     {"Gbit", 1e9},     {"Tbit", 1e12},
    {"bit/s", 1},      {"Kbit/s", 1e3},   {"Mbit/s", 1e6},   {"Gbit/s", 1e9},   {"Tbit/s", 1e12},
    {"bps", 1},        {"Kbps", 1e3},     {"Mbps", 1e6},     {"Gbps", 1e9},     {"Tbps", 1e12},
    {NULL, 0},
};

static const struct unit sizes[] = {
    {"", 1},
    {"B", 1},
    {"K", 1024.0},
    {"KB", 1024.0},
    {"KiB", 1024.0},
    {"M", 1048576.0},
    {"MB", 1048576.0},
    {"MiB", 1048576.0},
    {"G", 1073741824.0},
    {"GB", 1073741824.0},
    {"GiB", 1073741824.0},
    {NULL, 0},
};

/* A decimal number and a unit of the table; the number is exact up to 2^53 units of 1. */
static bool parse(const char *s, const struct unit *table, double limit, double *out)
{
    const char *p = s;
    while (isdigit((unsigned char)*p))
        p++;
    if (*p == '.')
        for (p++; isdigit((unsigned char)*p);)
            p++;
    if (p == s || !isdigit((unsigned char)s[0]) || p - s > 30)
        return false;

    double value = strtod(s, NULL);
    while (*p == ' ')
        p++;
    for (const struct unit *u = table; u->name; u++)
        if (strcasecmp(p, u->name) == 0) {
            value *= u->scale;
            if (!(value < limit))
                return false;
            *out = value;
            return true;
        }
    return false;
}

bool units_time(const char *s, vtime_t *ns)
{
    double v;

    if (strcmp(s, "0") == 0) {
        *ns = 0;
        return true;
    }
    if (!parse(s, times, 9.2e18, &v))
        return false;
    *ns = (vtime_t)llround(v);
    return true;
}

bool units_rate(const char *s, uint64_t *bps)
{
    double v;

    if (!parse(s, rates, 1e15, &v))
        return false;
    *bps = (uint64_t)llround(v);
    return true;
}

bool units_size(const char *s, uint64_t *bytes)
{
    double v;

    if (!parse(s, sizes, 9.2e18, &v))
        return false;
    *bytes = (uint64_t)llround(v);
    return true;
}

const char *units_format_time(vtime_t ns, char *buf, size_t size)
{
    static const struct unit scale[] = {{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};
    size_t i = 0;

    while (i < ARRAY_LEN(scale) - 1 && (double)ns < scale[i].scale)
        i++;
    snprintf(buf, size, "%.6g%s", (double)ns / scale[i].scale, scale[i].name);
    return buf;
}

const char *units_format_size(uint64_t bytes, char *buf, size_t size)
{
    static const struct unit scale[] = {
        {"GiB", 1073741824.0}, {"MiB", 1048576.0}, {"KiB", 1024.0}, {"B", 1}};
    size_t i = 0;

    while (i < ARRAY_LEN(scale) - 1 && (double)bytes < scale[i].scale)
        i++;
    snprintf(buf, size, "%.4g %s", (double)bytes / scale[i].scale, scale[i].name);
    return buf;
}
