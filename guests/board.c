/* The boards there are. */
#include "guests/board.h"

const struct board *const boards[] = {
    &board_virt,
    NULL,
};

const struct board *board_find(const char *name)
{
    if (!name)
        return boards[0];
    for (const struct board *const *b = boards; *b; b++)
        if (strcmp((*b)->name, name) == 0)
            return *b;
    return NULL;
}
