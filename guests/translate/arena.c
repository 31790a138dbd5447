/* Two mappings of the same memory: one to write machine code, one to execute it. */
#include "guests/translate/arena.h"

#include <pthread.h>
#include <sys/mman.h>

#define ARENA_BYTES (ARENA_PARTS * ARENA_PART_BYTES)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t *exec_base, *write_base;

static struct part {
    size_t bumped, taken; /* bytes ever handed out, and now */
    uint8_t *free_list;   /* each free chunk's first bytes hold the next one's address */
} parts[ARENA_PARTS];

/*
 * Anonymous memory that is mapped twice (mremap(2): an old size of 0), and no memfd: perf looks
 * into its map of a process only for addresses where no file is mapped.
 */
bool arena_init(void)
{
    int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
    void *w = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0), *x;

    if (w == MAP_FAILED)
        return false;
    x = mremap(w, 0, ARENA_BYTES, MREMAP_MAYMOVE);
    if (x == MAP_FAILED || mprotect(x, ARENA_BYTES, PROT_READ | PROT_EXEC) != 0) {
        if (x != MAP_FAILED)
            munmap(x, ARENA_BYTES);
        munmap(w, ARENA_BYTES);
        return false;
    }
    write_base = w;
    exec_base = x;
    return true;
}

uint8_t *arena_writable(const uint8_t *exec)
{
    return write_base + (exec - exec_base);
}

uint8_t *arena_take(enum arena_part part)
{
    struct part *p = &parts[part];
    uint8_t *chunk = NULL;

    pthread_mutex_lock(&lock);
    if (p->free_list) {
        chunk = p->free_list;
        memcpy(&p->free_list, arena_writable(chunk), sizeof(p->free_list));
    } else if (p->bumped < ARENA_PART_BYTES) {
        chunk = exec_base + part * ARENA_PART_BYTES + p->bumped;
        p->bumped += arena_chunk(part);
    }
    p->taken += chunk ? arena_chunk(part) : 0;
    pthread_mutex_unlock(&lock);
    return chunk;
}

void arena_give(enum arena_part part, uint8_t *chunk)
{
    struct part *p = &parts[part];

    pthread_mutex_lock(&lock);
    memcpy(arena_writable(chunk), &p->free_list, sizeof(p->free_list));
    p->free_list = chunk;
    p->taken -= arena_chunk(part);
    pthread_mutex_unlock(&lock);
}

size_t arena_used(void)
{
    size_t n = 0;

    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < ARENA_PARTS; i++)
        n += parts[i].taken;
    pthread_mutex_unlock(&lock);
    return n;
}
