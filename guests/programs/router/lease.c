/* The leases of one pool, in chunks that are taken as they are needed. */
#include "router/lease.h"

#include <string.h>

#include "base/memory.h"

/* A million leases to a pool; memory is used up before. */
enum { CHUNKS_MOST = 8192 };

bool leases_start(struct leases *ls, uint32_t first, uint32_t last, uint32_t own)
{
    uint32_t size = last - first + 1;
    uint32_t chunks = (size - 1) / LEASE_CHUNK + 1;

    /* Memory is not given back, so a pool that is set again takes over what it had. */
    if (chunks > CHUNKS_MOST)
        chunks = CHUNKS_MOST;
    if (!ls->bucket)
        ls->bucket = memory_take(LEASE_BUCKETS * sizeof *ls->bucket, 8);
    if (chunks > ls->chunks) {
        struct lease **chunk = memory_take(chunks * sizeof *chunk, 8);

        if (!chunk)
            return false;
        for (uint32_t i = 0; i < ls->chunks; i++)
            chunk[i] = ls->chunk[i];
        ls->chunk = chunk;
        ls->chunks = chunks;
    }
    if (!ls->bucket)
        return false;
    for (uint32_t i = 0; i < LEASE_BUCKETS && ls->used > 0; i++)
        ls->bucket[i] = 0;
    ls->first = first;
    ls->size = size;
    ls->used = 0;
    ls->own = own;
    return true;
}

struct lease *lease_get(const struct leases *ls, uint32_t i)
{
    return &ls->chunk[i / LEASE_CHUNK][i % LEASE_CHUNK];
}

uint32_t lease_address(const struct leases *ls, const struct lease *l)
{
    return ls->first + l->index;
}

static uint32_t *bucket_of(const struct leases *ls, const uint8_t mac[6])
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (int i = 0; i < 6; i++)
        hash = (hash ^ mac[i]) * 16777619u;
    return &ls->bucket[(hash ^ hash >> 16) % LEASE_BUCKETS];
}

struct lease *lease_of_mac(const struct leases *ls, const uint8_t mac[6])
{
    for (uint32_t i = *bucket_of(ls, mac); i != 0; i = lease_get(ls, i - 1)->next)
        if (memcmp(lease_get(ls, i - 1)->mac, mac, 6) == 0)
            return lease_get(ls, i - 1);
    return NULL;
}

struct lease *lease_of_address(const struct leases *ls, uint32_t address)
{
    uint32_t i = address - ls->first;

    return i < ls->used ? lease_get(ls, i) : NULL;
}

bool lease_is_free(const struct lease *l, uint32_t now_s)
{
    return l->state == LEASE_FREE || (l->state != LEASE_RESERVED && l->until_s <= now_s);
}

void lease_detach(struct leases *ls, struct lease *l)
{
    uint32_t *link = bucket_of(ls, l->mac);

    while (*link != 0 && *link != l->index + 1)
        link = &lease_get(ls, *link - 1)->next;
    if (*link != 0)
        *link = l->next;
    l->next = 0;
    memset(l->mac, 0, sizeof l->mac);
    if (l->name)
        l->name[0] = '\0';
}

static void lease_attach(struct leases *ls, struct lease *l, const uint8_t mac[6])
{
    uint32_t *bucket = bucket_of(ls, mac);

    memcpy(l->mac, mac, 6);
    l->next = *bucket;
    *bucket = l->index + 1;
}

/* The next lease that never was, or NULL. */
static struct lease *lease_new(struct leases *ls)
{
    uint32_t c = ls->used / LEASE_CHUNK;
    struct lease *l;

    if (ls->used >= ls->size || c >= ls->chunks)
        return NULL;
    if (!ls->chunk[c] && !(ls->chunk[c] = memory_take(LEASE_CHUNK * sizeof *l, 8)))
        return NULL;
    l = lease_get(ls, ls->used);
    /* The room for a name survives when the pool is set again. */
    *l = (struct lease){.name = l->name, .name_room = l->name_room, .index = ls->used++};
    if (l->name)
        l->name[0] = '\0';
    if (lease_address(ls, l) != ls->own)
        return l;
    l->state = LEASE_RESERVED;
    return lease_new(ls);
}

struct lease *lease_take(struct leases *ls, const uint8_t mac[6], uint32_t now_s)
{
    struct lease *l = lease_of_mac(ls, mac);

    if (l)
        return l;
    l = lease_new(ls);
    for (uint32_t i = 0; !l && i < ls->used; i++)
        if (lease_is_free(lease_get(ls, i), now_s)) {
            l = lease_get(ls, i);
            lease_detach(ls, l);
        }
    if (l)
        lease_attach(ls, l, mac);
    return l;
}

static bool name_has(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
}

void lease_set_name(struct lease *l, const uint8_t *name, unsigned len)
{
    unsigned at = 0;

    if (len > LEASE_NAME - 1)
        len = LEASE_NAME - 1;
    if (len >= l->name_room) {
        /* At most two rooms in a lease's life: a short one, then the longest. */
        uint8_t room = len < 16 && !l->name ? 16 : LEASE_NAME;
        char *to = memory_take(room, 1);

        if (!to)
            return;
        l->name = to;
        l->name_room = room;
    }
    for (unsigned i = 0; i < len; i++)
        if (name_has((char)name[i]))
            l->name[at++] = (char)name[i];
    l->name[at] = '\0';
}
