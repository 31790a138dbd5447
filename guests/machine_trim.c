/*
 * Giving back pages that a guest copied without need: those that it filled with zeroes, and those
 * that came out as another guest's did.
 *
 * Kernels clear memory and leave it alone: Linux clears 32 MiB for its table of memory sections, and
 * uses a few words of it. And guests that start the same kernel do the same things: they patch its text
 * alike, and unpack the same files. So pages are looked at once soon after they were copied, and
 * again when the guest has had time to finish what it was doing. A guest cannot tell.
 */
#include "guests/alike.h"
#include "guests/machine_internal.h"

/* Pages copied before they are looked at: enough that most are no longer being written. */
#define TRIM_BATCH 128
/* Before all that it owns is looked at again: this many more, and this much later. */
#define TRIM_AGAIN 64
#define TRIM_AGAIN_NS (NS_PER_SEC / 20)
#define TRIM_AGAIN_MAX (2 * NS_PER_SEC)
/* While looks are rare, because pages come back, so many copied ones call for one all the same. */
#define TRIM_MANY 1024

static bool was_given(const struct machine *m, uint32_t page)
{
    return m->given && (m->given[page / 64] >> page % 64 & 1);
}

static void note_given(struct machine *m, uint32_t page)
{
    if (!m->given)
        m->given = xcalloc((m->ram.size >> PAGE_SHIFT) / 64 + 1, sizeof(*m->given));
    m->given[page / 64] |= 1ULL << page % 64;
}

void machine_page_copied(struct machine *m, uint64_t addr)
{
    m->own = array_grow(m->own, &m->cap_own, m->n_own + 1, sizeof(*m->own));
    m->own[m->n_own++] = (uint32_t)((addr - m->ram.base) >> PAGE_SHIFT);
    m->n_copied++;
    m->n_regretted += was_given(m, m->own[m->n_own - 1]);
}

static bool page_is_zero(const struct page *p)
{
    return p->data[0] == 0 && memcmp(p->data, p->data + 1, PAGE_SIZE - 1) == 0;
}

/* One page that this guest alone holds; false if it stays so. */
static bool page_trim(struct machine *m, uint64_t addr, struct page *p)
{
    uint64_t hash;
    struct page *found;

    if (page_is_zero(p))
        return ram_fill(&m->ram, addr, 0, PAGE_SIZE); /* which puts the page of zeroes there */
    hash = alike_hash(p);
    switch (alike_find(p, hash, m->who, &found)) {
    case ALIKE_FOUND:
        ram_map_page(&m->ram, addr, found);
        page_unref(found);
        return true;
    case ALIKE_OFFER:
        m->ram.changing(&m->ram, addr, p); /* nobody writes it in place from here on */
        return alike_offer(p, hash);
    case ALIKE_NEW:
        break;
    }
    return false;
}

/* Look at the pages from `first` of the list on, and keep on it what still is this guest's own. */
static void pages_look(struct machine *m, uint32_t first)
{
    uint32_t kept = first;

    if (!m->who)
        m->who = alike_enter();
    for (uint32_t i = first; i < m->n_own; i++) {
        uint64_t addr = m->ram.base + ((uint64_t)m->own[i] << PAGE_SHIFT);
        struct page *p = ram_page(&m->ram, addr);

        if (page_shared(p))
            continue;
        if (page_trim(m, addr, p))
            note_given(m, m->own[i]);
        else
            m->own[kept++] = m->own[i];
    }
    m->n_own = m->n_looked = kept;
}

/* A guest that keeps taking pages again, as for buffers that are zero now and then, is left alone. */
static vtime_t next_gap(const struct machine *m)
{
    if (m->n_copied >= TRIM_BATCH && m->n_regretted > m->n_copied / 4 * 3)
        return MIN(2 * MAX(m->look_gap, TRIM_AGAIN_NS), TRIM_AGAIN_MAX);
    return MAX(m->look_gap / 2, TRIM_AGAIN_NS);
}

void machine_trim(struct machine *m)
{
    uint32_t unseen = m->n_own - m->n_looked;
    bool rare = m->look_gap > TRIM_AGAIN_NS; /* then the last of a burst is not forgotten */

    if (m->n_copied >= (rare ? 1 : TRIM_AGAIN) && m->actor.now >= m->look_again) {
        pages_look(m, 0);
        m->look_gap = next_gap(m);
        m->look_again = m->actor.now + m->look_gap;
        m->n_copied = m->n_regretted = 0;
    } else if (unseen >= (rare ? TRIM_MANY : TRIM_BATCH)) {
        pages_look(m, m->n_looked);
    }
}

void machine_trim_forget(struct machine *m)
{
    m->n_own = m->n_looked = m->n_copied = m->n_regretted = 0;
    m->look_gap = 0;
}

void machine_trim_finish(struct machine *m)
{
    free(m->own);
    free(m->given);
    if (m->who)
        alike_leave();
}
