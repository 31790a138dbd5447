/* A map from strings to pointers, by open addressing with linear probing. */
#include "topo/strmap.h"

#include "sim/rng.h"

static size_t slot_of(const struct strmap *m, const char *key)
{
    size_t i = hash_bytes(RNG_HASH_START, key, strlen(key)) & (m->cap - 1);
    while (m->keys[i] && strcmp(m->keys[i], key) != 0)
        i = (i + 1) & (m->cap - 1);
    return i;
}

void *strmap_get(const struct strmap *m, const char *key)
{
    return m->n ? m->values[slot_of(m, key)] : NULL;
}

static void strmap_grow(struct strmap *m)
{
    struct strmap old = *m;
    m->cap = old.cap ? old.cap * 2 : 64;
    m->keys = xcalloc(m->cap, sizeof(*m->keys));
    m->values = xcalloc(m->cap, sizeof(*m->values));
    for (size_t i = 0; i < old.cap; i++) {
        if (!old.keys[i])
            continue;
        size_t to = slot_of(m, old.keys[i]);
        m->keys[to] = old.keys[i];
        m->values[to] = old.values[i];
    }
    strmap_finish(&old);
}

void strmap_put(struct strmap *m, const char *key, void *value)
{
    if ((m->n + 1) * 4 > m->cap * 3)
        strmap_grow(m);
    size_t i = slot_of(m, key);
    if (!m->keys[i]) {
        m->keys[i] = key;
        m->n++;
    }
    m->values[i] = value;
}

void strmap_finish(struct strmap *m)
{
    free(m->keys);
    free(m->values);
    *m = (struct strmap){0};
}
