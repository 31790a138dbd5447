/* A host for which there is no translator: the interpreter does it all. */
#include "guests/translate/backend.h"

bool backend_init(void)
{
    return false;
}

/* The others are not reached then. */

bool backend_emit(const struct trace *t, struct emission *e, enum arena_part *full)
{
    (void)t;
    (void)e;
    *full = ARENA_HOT;
    return false;
}

void backend_patch(const struct native_exit *exit, const uint8_t *entry)
{
    (void)exit;
    (void)entry;
}

const uint8_t *backend_leave(void)
{
    return NULL;
}

void backend_enter(struct hart *h, const uint8_t *entry, int64_t left)
{
    (void)h;
    (void)entry;
    (void)left;
}
