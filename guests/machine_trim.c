/*
 * Giving back pages that a guest copied without need: those that it filled with zeroes, and those
 * that came out as another guest's did.
 *
 * Kernels clear memory and leave it alone: Linux clears 32 MiB for its table of memory sections,
 * and uses a few words of it. And guests that start the same kernel do the same things: they patch
 * its text alike, and unpack the same files. So pages are looked at once soon after they were
 * copied, and again when the guest has had time to finish what it was doing. Looking costs about
 * what copying does, so it becomes rare for a guest that keeps what it has, or takes back what it
 * gave: buffers are zero now and then. A guest cannot tell.
 */
#include "guests/alike.h"
#include "guests/machine_internal.h"

/* Pages copied before they are looked at: enough that most are no longer being written. */
#define TRIM_BATCH 128
/* Before all that it owns is looked at again: this many more, and this much later. */
#define TRIM_AGAIN 64
#define TRIM_AGAIN_NS (NS_PER_SEC / 20)
#define TRIM_AGAIN_MAX (2 * NS_PER_SEC)
/* A look at all that gave back less than one page of so many was in vain. */
#define TRIM_YIELD 32
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

void machine_trim_init(struct machine *m)
{
    m->who = alike_enter();
}

/* One page that this guest alone holds; false if it stays so. */
static bool page_trim(struct machine *m, uint64_t addr, struct page *p)
{
    uint64_t hash;
    struct page *found;

    if (page_is_zero(p))
        return ram_fill(&m->ram, addr, 0, PAGE_SIZE); /* which puts the page of zeroes there */
    if (!alike_others())
        return false;
    hash = alike_hash(p);
    switch (alike_find(p, hash, m->who, &found)) {
    case ALIKE_FOUND:
        ram_map_page(&m->ram, addr, found);
        page_unref(found);
        return true;
    case ALIKE_OFFER:
        m->ram.changing(&m->ram, addr, p); /* nobody writes it in place from here on */
        return alike_offer(p, hash);
    case ALIKE_NEW: break;
    }
    return false;
}

/* What a look came to: pages that were looked at, and those of them that are not held any more. */
struct look {
    uint32_t seen, given;
};

/*
 * Look at the pages from `first` of the list on, and keep on it what still is this guest's own.
 * What it took back is left alone until all are looked at.
 */
static struct look pages_look(struct machine *m, uint32_t first)
{
    struct look look = {0, 0};
    uint32_t kept = first;

    for (uint32_t i = first; i < m->n_own; i++) {
        uint64_t addr = m->ram.base + ((uint64_t)m->own[i] << PAGE_SHIFT);
        struct page *p = ram_page(&m->ram, addr);

        if (page_shared(p))
            continue;
        look.seen++;
        if ((first && was_given(m, m->own[i])) || !page_trim(m, addr, p)) {
            m->own[kept++] = m->own[i];
        } else {
            note_given(m, m->own[i]);
            look.given++;
        }
    }
    m->n_own = m->n_looked = kept;
    return look;
}

static vtime_t next_gap(const struct machine *m, struct look look)
{
    bool regretted = m->n_copied >= TRIM_BATCH && m->n_regretted > m->n_copied / 4 * 3;

    if (regretted || look.given < look.seen / TRIM_YIELD)
        return MIN(2 * MAX(m->look_gap, TRIM_AGAIN_NS), TRIM_AGAIN_MAX);
    return MAX(m->look_gap / 2, TRIM_AGAIN_NS);
}

static void look_at_all(struct machine *m)
{
    m->look_gap = next_gap(m, pages_look(m, 0));
    m->n_copied = m->n_regretted = 0;
}

void machine_trim(struct machine *m)
{
    uint32_t unseen = m->n_own - m->n_looked;
    bool rare = m->look_gap > TRIM_AGAIN_NS, due = m->actor.now >= m->look_again;

    if (due && m->n_copied >= TRIM_AGAIN)
        look_at_all(m);
    else if (unseen >= (rare ? TRIM_MANY : TRIM_BATCH) || (due && rare && unseen))
        pages_look(m, m->n_looked); /* in the end the last of a burst too */
    else
        return;
    if (due)
        m->look_again = m->actor.now + m->look_gap;
}

void machine_trim_shared(struct machine *m)
{
    m->n_own = m->n_looked = 0;
}

void machine_trim_forget(struct machine *m)
{
    machine_trim_shared(m);
    free(m->given);
    m->given = NULL;
    m->n_copied = m->n_regretted = 0;
    m->look_gap = m->look_again = 0;
}

void machine_trim_finish(struct machine *m)
{
    free(m->own);
    free(m->given);
    alike_leave();
}
