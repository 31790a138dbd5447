/* Threads beside the main one: signals are not theirs. */
#include "sim/thread.h"

#include <signal.h>
#include <stdlib.h>

void thread_start(pthread_t *t, void *(*run)(void *opaque), void *opaque)
{
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    if (pthread_create(t, NULL, run, opaque) != 0)
        abort();
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}
