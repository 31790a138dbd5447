/* What decoded code there is, and how much of it guests share: counted for those who ask. */
#ifndef GUESTS_CODE_STATS_H
#define GUESTS_CODE_STATS_H

#include "sim/base.h"

struct ram;

/** A page whose code a guest holds. */
struct code_use {
    const void *code;
    size_t guest;
};

/** Zero-initialise it, add every guest once, end; free `uses` with code_stats_finish. */
struct code_stats {
    struct code_use *uses;
    uint32_t n_uses, cap;
    size_t n_guests;

    /* by code_stats_end */
    uint64_t pages;  /* with code, each counted once however many guests hold it */
    uint64_t shared; /* of those: held by more than one guest */
    uint64_t held;   /* the sum over all pages of the guests that hold each */
    uint64_t blocks; /* decoded, in all these pages */
};

/** Add a guest's RAM: it looks at every page, in some milliseconds. No guest is running. */
void code_stats_add(struct code_stats *s, const struct ram *r);
void code_stats_end(struct code_stats *s);
void code_stats_finish(struct code_stats *s);

#endif
