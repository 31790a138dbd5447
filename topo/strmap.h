/* A map from strings to pointers: names of objects, interned strings. */
#ifndef TOPO_STRMAP_H
#define TOPO_STRMAP_H

#include "sim/base.h"

/** Open addressing; zero-initialise it. Keys are borrowed and must outlive the map. */
struct strmap {
    const char **keys; /* NULL: empty */
    void **values;
    size_t n, cap; /* cap: a power of two, or 0 */
};

/** The value of a key, or NULL. */
void *strmap_get(const struct strmap *m, const char *key);

/** Set a key's value, which must not be NULL. */
void strmap_put(struct strmap *m, const char *key, void *value);

void strmap_finish(struct strmap *m);

#endif
