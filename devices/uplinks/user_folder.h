/* A private folder that is removed whatever becomes of this process. */
#ifndef UPLINKS_USER_FOLDER_H
#define UPLINKS_USER_FOLDER_H

#include <stdbool.h>
#include <sys/types.h>

#include "sim/base.h"

struct user_folder {
    char *path;   /* in $TMPDIR or /tmp; only its owner can enter it */
    pid_t keeper; /* the process that removes it when `life` is closed */
    int life;
};

/** NULL, with errno, if it cannot be made. */
struct user_folder *user_folder_make(void);

/** Remove it with all that it contains, and return when that is done. NULL is accepted. */
void user_folder_remove(struct user_folder *f);

#endif
