/*
 * Giving back pages that a guest copied only to fill them with zeroes.
 *
 * Kernels do that at their start: Linux clears 32 MiB for its table of memory sections, and
 * uses a few words of it. Pages are looked at once, some time after they were copied. A guest cannot tell.
 */
#include "guests/machine_internal.h"

/* Pages copied before they are looked at: enough that most are no longer being written. */
#define TRIM_BATCH 1024

void machine_page_copied(struct machine *m, uint64_t addr)
{
    m->copied = array_grow(m->copied, &m->cap_copied, m->n_copied + 1, sizeof(*m->copied));
    m->copied[m->n_copied++] = (uint32_t)((addr - m->ram.base) >> PAGE_SHIFT);
}

static bool page_is_zero(const struct page *p)
{
    return p->data[0] == 0 && memcmp(p->data, p->data + 1, PAGE_SIZE - 1) == 0;
}

void machine_trim(struct machine *m)
{
    if (m->n_copied < TRIM_BATCH)
        return;
    for (uint32_t i = 0; i < m->n_copied; i++) {
        uint64_t addr = m->ram.base + ((uint64_t)m->copied[i] << PAGE_SHIFT);
        const struct page *p = ram_page(&m->ram, addr);

        if (!page_shared(p) && page_is_zero(p))
            ram_fill(&m->ram, addr, 0, PAGE_SIZE); /* which puts the page of zeroes there */
    }
    m->n_copied = 0;
}
