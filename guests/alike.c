/*
 * Pages that guests came to hold alike by doing the same: found by contents, so that one is enough.
 *
 * A thousand guests that start the same kernel patch its text alike, unpack the same files and
 * set up the same tables. The first to show a page leaves a note of its hash, the second offers
 * its page, the others take that one. So what one guest alone holds is never copied for the sake of
 * sharing, and costs a note. Notes overwrite each other: a lost one delays sharing by a guest.
 */
#include "guests/alike.h"

#include <pthread.h>
#include <stdatomic.h>

#define NOTES (1u << 16)
#define CAP_MIN 1024u /* a power of two */

struct entry {
    uint64_t hash;
    struct page *page; /* NULL: free */
};

/* Who showed which bytes: a guest that shows the same page again learns nothing from its own. */
struct note {
    uint64_t hash;
    uint32_t who; /* 0: nobody */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint32_t users; /* written under the lock */
static uint32_t last_user;
static struct note *notes;
static struct entry *table; /* open addressing; at most half full */
static size_t cap, used;

/* --- the table; the lock is held --- */

static struct entry *slot_of(struct entry *in, size_t n, uint64_t hash)
{
    size_t i = (size_t)hash & (n - 1);

    while (in[i].page && in[i].hash != hash)
        i = (i + 1) & (n - 1);
    return &in[i];
}

/* Let go of pages that nobody else holds any more. Others get theirs under the lock. */
static void table_sweep(void)
{
    for (size_t i = 0; i < cap; i++) {
        if (!table[i].page || page_shared(table[i].page))
            continue;
        page_unref(table[i].page);
        table[i].page = NULL; /* table_rebuild closes the gap */
        used--;
    }
}

static void table_rebuild(void)
{
    size_t n = CAP_MIN;
    struct entry *to;

    while (n < 4 * used)
        n *= 2;
    to = xcalloc(n, sizeof(*to));
    for (size_t i = 0; i < cap; i++)
        if (table[i].page)
            *slot_of(to, n, table[i].hash) = table[i];
    free(table);
    table = to;
    cap = n;
}

static void table_make_room(void)
{
    if (2 * (used + 1) <= cap)
        return;
    table_sweep();
    table_rebuild();
}

static void table_empty(void)
{
    for (size_t i = 0; i < cap; i++)
        page_unref(table[i].page);
    free(table);
    free(notes);
    table = NULL;
    notes = NULL;
    cap = used = 0;
}

/* --- what others call --- */

uint32_t alike_enter(void)
{
    uint32_t who;

    pthread_mutex_lock(&lock);
    if (users++ == 0)
        notes = xcalloc(NOTES, sizeof(*notes));
    who = ++last_user;
    pthread_mutex_unlock(&lock);
    return who;
}

bool alike_others(void)
{
    return atomic_load_explicit(&users, memory_order_relaxed) > 1;
}

void alike_leave(void)
{
    pthread_mutex_lock(&lock);
    if (--users == 0)
        table_empty();
    pthread_mutex_unlock(&lock);
}

/* Four lanes, so that the multiplications overlap. */
uint64_t alike_hash(const struct page *p)
{
    const uint64_t k = 0x9e3779b97f4a7c15ULL;
    uint64_t lane[4] = {1, 2, 3, 4}, hash = 0;

    for (unsigned i = 0; i < PAGE_SIZE; i += 32) {
        for (unsigned l = 0; l < 4; l++) {
            lane[l] = (lane[l] ^ load_le64(p->data + i + 8 * l)) * k;
            lane[l] ^= lane[l] >> 32;
        }
    }
    for (unsigned l = 0; l < 4; l++)
        hash = (hash ^ lane[l]) * k;
    return hash ^ hash >> 32;
}

/* What is known of a hash: a page, with a new reference, or whether it was seen; notes it. */
static enum alike look_up(uint64_t hash, uint32_t who, struct page **found)
{
    struct entry *e = cap ? slot_of(table, cap, hash) : NULL;
    struct note *note = &notes[hash & (NOTES - 1)];

    if (e && e->page) {
        *found = page_ref(e->page);
        return ALIKE_FOUND;
    }
    if (note->hash == hash && note->who && note->who != who)
        return ALIKE_OFFER;
    *note = (struct note){hash, who};
    return ALIKE_NEW;
}

enum alike alike_find(const struct page *p, uint64_t hash, uint32_t who, struct page **found)
{
    enum alike what;

    *found = NULL;
    pthread_mutex_lock(&lock);
    what = look_up(hash, who, found);
    pthread_mutex_unlock(&lock);
    if (what != ALIKE_FOUND || memcmp(p->data, (*found)->data, PAGE_SIZE) == 0)
        return what;
    page_unref(*found); /* another page of the same hash */
    *found = NULL;
    return ALIKE_NEW;
}

bool alike_offer(struct page *p, uint64_t hash)
{
    struct entry *e;
    bool free_slot;

    pthread_mutex_lock(&lock);
    table_make_room();
    e = slot_of(table, cap, hash);
    free_slot = !e->page;
    if (free_slot) {
        *e = (struct entry){hash, page_ref(p)};
        used++;
    }
    pthread_mutex_unlock(&lock);
    return free_slot;
}

size_t alike_pages(void)
{
    size_t n;

    pthread_mutex_lock(&lock);
    n = used;
    pthread_mutex_unlock(&lock);
    return n;
}
