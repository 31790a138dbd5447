/* Walking field tables: reset, copy, dump, fingerprint. */
#include "sim/state.h"

#include <inttypes.h>

#include "sim/rng.h"

static size_t width(enum field_type t)
{
    return field_size(t);
}

static uint64_t get(const struct field *f, const void *object, uint32_t i)
{
    const uint8_t *p = (const uint8_t *)object + f->offset + i * width(f->type);
    uint64_t v = 0;

    switch (width(f->type)) {
    case 8: memcpy(&v, p, 8); return v;
    case 4: { uint32_t w; memcpy(&w, p, 4); return w; }
    case 2: { uint16_t h; memcpy(&h, p, 2); return h; }
    default: return *p;
    }
}

static void set(const struct field *f, void *object, uint32_t i, uint64_t v)
{
    uint8_t *p = (uint8_t *)object + f->offset + i * width(f->type);

    switch (width(f->type)) {
    case 8: memcpy(p, &v, 8); break;
    case 4: { uint32_t w = (uint32_t)v; memcpy(p, &w, 4); break; }
    case 2: { uint16_t h = (uint16_t)v; memcpy(p, &h, 2); break; }
    default: *p = (uint8_t)v;
    }
}

void state_reset(const struct field *table, void *object)
{
    for (const struct field *f = table; f && f->name; f++) {
        if (!f->reset) { /* at once: a card's memory is a field, too */
            memset((uint8_t *)object + f->offset, 0, f->count * width(f->type));
            continue;
        }
        for (uint32_t i = 0; i < f->count; i++)
            set(f, object, i, f->reset);
    }
}

void state_copy(const struct field *table, void *to, const void *from)
{
    for (const struct field *f = table; f && f->name; f++)
        memcpy((uint8_t *)to + f->offset, (const uint8_t *)from + f->offset,
               f->count * width(f->type));
}

uint64_t state_hash(const struct field *table, const void *object, uint64_t hash)
{
    for (const struct field *f = table; f && f->name; f++)
        for (uint32_t i = 0; i < f->count; i++) {
            uint8_t le[8];
            store_le64(le, get(f, object, i));
            hash = hash_bytes(hash, le, sizeof(le));
        }
    return hash;
}

void state_dump(const struct field *table, const void *object, const char *prefix, FILE *to)
{
    for (const struct field *f = table; f && f->name; f++)
        for (uint32_t i = 0; i < f->count; i++) {
            uint64_t v = get(f, object, i);
            if (v == f->reset)
                continue;
            if (f->count > 1)
                fprintf(to, "%s.%s[%u] = 0x%" PRIx64 "\n", prefix, f->name, i, v);
            else
                fprintf(to, "%s.%s = 0x%" PRIx64 "\n", prefix, f->name, v);
        }
}
