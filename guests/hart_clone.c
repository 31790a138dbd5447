/*
 * A hart becomes what another one is.
 *
 * A cache that starts empty cannot be seen by a guest that keeps to the rules, and by others it is
 * seen alike in every run. The original's caches keep all translations, and lose only the leave to
 * store without asking.
 */
#include "guests/cpu.h"

static void protect_all(struct hart *h)
{
    for (unsigned b = 0; b < BANK_COUNT; b++) {
        struct tlb *t = h->caches->banks[b];

        for (uint32_t i = 0; t && i < t->n; i++)
            t->e[i].tag_store = TAG_NONE;
    }
}

void hart_clone(struct hart *h, struct hart *original)
{
    protect_all(original);
    state_copy(hart_fields, h, original);
    hart_flush(h);
}
