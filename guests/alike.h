/* Pages that guests came to hold alike by doing the same: found by contents, so that one is enough. */
#ifndef GUESTS_ALIKE_H
#define GUESTS_ALIKE_H

#include "guests/page.h"

/*
 * One table for the process. It holds a reference to each page in it, so those are shared, and
 * immutable, from the moment they are offered. Whether a page was found depends on who came first
 * and must never be seen by a guest. Safe on any thread.
 */

/**
 * Someone who will look pages up: returns a number for it. When the last has left, the table is
 * empty again.
 */
uint32_t alike_enter(void);
void alike_leave(void);

/** Whether there is anybody else: what somebody alone holds need not be looked up. */
bool alike_others(void);

/** What pages are found by. */
uint64_t alike_hash(const struct page *p);

enum alike {
    ALIKE_NEW,   /* nobody else showed these bytes lately: leave the page alone */
    ALIKE_OFFER, /* somebody did: the next one would share it, if it were offered */
    ALIKE_FOUND  /* *found has the same bytes */
};

/** Look up a page that `who` alone holds; *found is a new reference, or NULL. */
enum alike alike_find(const struct page *p, uint64_t hash, uint32_t who, struct page **found);

/**
 * Put a page into the table; its holder has let go of every pointer through which it is written.
 * False if another page of that hash got there first: this one remains the holder's own.
 */
bool alike_offer(struct page *p, uint64_t hash);

/** Pages in the table. */
size_t alike_pages(void);

#endif
