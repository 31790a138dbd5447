/* Threads beside the main one: signals are not theirs. */
#ifndef SIM_THREAD_H
#define SIM_THREAD_H

#include <pthread.h>

/**
 * Start one with all signals blocked: the main thread has the loop that hears of them, and a write
 * that a signal ends would look like a full disk. Does not return when there is no memory for it.
 */
void thread_start(pthread_t *t, void *(*run)(void *opaque), void *opaque);

#endif
