/* Field tables: a stateful object describes its fields once, for reset, dump and fingerprint. */
#ifndef SIM_STATE_H
#define SIM_STATE_H

#include <stdio.h>

#include "sim/base.h"

enum field_type { FIELD_U8, FIELD_U16, FIELD_U32, FIELD_U64, FIELD_BOOL, FIELD_BYTES };

/** One field of a struct: `count` elements of `type` at `offset`; for FIELD_BYTES, a length. */
struct field {
    const char *name;
    uint32_t offset;
    enum field_type type;
    uint32_t count;
    uint64_t reset; /* what every element holds after a reset */
};

/* FIELD(struct uart, lcr, FIELD_U8, 0): a scalar or an array, whichever the member is. */
#define FIELD(st, member, ftype, reset_value)                                                      \
    {                                                                                              \
        #member, offsetof(st, member), ftype,                                                      \
            (uint32_t)(sizeof(((st *)0)->member) / field_size(ftype)), reset_value                 \
    }
#define FIELD_END                                                                                  \
    {                                                                                              \
        NULL, 0, FIELD_U8, 0, 0                                                                    \
    }
#define field_size(t)                                                                              \
    ((t) == FIELD_U64 ? 8u : (t) == FIELD_U32 ? 4u : (t) == FIELD_U16 ? 2u : 1u)

/* Each walks a table that ends in FIELD_END. */
void state_reset(const struct field *table, void *object);
/** Make the fields of `to` what those of `from`, another object of the same type, are. */
void state_copy(const struct field *table, void *to, const void *from);
uint64_t state_hash(const struct field *table, const void *object, uint64_t hash);
/** "prefix.name = 0x..." lines, one per element that differs from its reset value. */
void state_dump(const struct field *table, const void *object, const char *prefix, FILE *to);

#endif
