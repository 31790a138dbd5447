/* The leases of one pool. Address number i of the pool is lease i; addresses are given
   out in order, and a client that comes back gets the one it had. */
#ifndef PROGRAMS_ROUTER_LEASE_H
#define PROGRAMS_ROUTER_LEASE_H

#include <stdbool.h>
#include <stdint.h>

enum lease_state {
    LEASE_FREE,     /* given up; still kept for its client while others are unused */
    LEASE_OFFERED,  /* until `until_s` */
    LEASE_BOUND,    /* until `until_s` */
    LEASE_DECLINED, /* until `until_s`: somebody else uses the address */
    LEASE_RESERVED, /* never given out: the router's own */
};

struct lease {
    uint8_t mac[6];
    uint8_t state;
    uint8_t name_room; /* bytes at name, 0: no name */
    uint32_t until_s;
    uint32_t index;
    uint32_t next; /* in the chain of the same hash: index + 1, 0 at the end */
    char *name;
};

enum { LEASE_BUCKETS = 1024, LEASE_CHUNK = 128, LEASE_NAME = 64 };

struct leases {
    uint32_t first, size; /* the pool's first address, host order, and its addresses */
    uint32_t own;         /* the router's address */
    uint32_t used;        /* leases that exist: 0 to used-1 */
    uint32_t chunks;      /* room in `chunk` */
    struct lease **chunk;
    uint32_t *bucket; /* LEASE_BUCKETS chains, by MAC: index + 1 */
};

/* Begin with an empty pool; `own` is not given out. Returns false without memory. */
bool leases_start(struct leases *ls, uint32_t first, uint32_t last, uint32_t own);

/* The lease of a client or of an address, or NULL. */
struct lease *lease_of_mac(const struct leases *ls, const uint8_t mac[6]);
struct lease *lease_of_address(const struct leases *ls, uint32_t address);

/* The client's lease, or a new one: the next address never used, or else one that is
   free. NULL when the pool or the memory is used up. */
struct lease *lease_take(struct leases *ls, const uint8_t mac[6], uint32_t now_s);

/* The client does not have it any more. */
void lease_detach(struct leases *ls, struct lease *l);

uint32_t lease_address(const struct leases *ls, const struct lease *l);
struct lease *lease_get(const struct leases *ls, uint32_t i);

/* Whether nobody holds the address now. */
bool lease_is_free(const struct lease *l, uint32_t now_s);

/* Keep a client's name: letters, digits, '-', '_' and '.' of it. */
void lease_set_name(struct lease *l, const uint8_t *name, unsigned len);

#endif
