/* Lists of taps. */
#include "sim/tap.h"

void tap_add(struct tap **list, struct tap *t)
{
    while (*list)
        list = &(*list)->next;
    t->next = NULL;
    *list = t;
}

void tap_remove(struct tap **list, struct tap *t)
{
    while (*list && *list != t)
        list = &(*list)->next;
    if (*list)
        *list = t->next;
}

void taps_show(struct tap *list, vtime_t at, struct port *port, enum tap_dir dir,
               struct frame *f)
{
    for (struct tap *t = list, *next; t; t = next) {
        next = t->next; /* a tap may remove itself */
        t->seen(t, at, port, dir, f);
    }
}
