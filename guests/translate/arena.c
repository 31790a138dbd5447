/* Two mappings of one memory file: one to write machine code, one to execute it. */
#include "guests/translate/arena.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t *exec_base, *write_base;
static size_t n_bumped, n_taken; /* chunks ever handed out, and now */
static uint8_t *free_list;       /* each free chunk's first bytes hold the next one's address */

bool arena_init(void)
{
    int fd = memfd_create("lanarium-code", MFD_CLOEXEC);
    void *w, *x;

    if (fd < 0)
        return false;
    if (ftruncate(fd, (off_t)ARENA_BYTES) != 0) {
        close(fd);
        return false;
    }
    w = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    x = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_NORESERVE, fd, 0);
    close(fd);
    if (w == MAP_FAILED || x == MAP_FAILED) {
        if (w != MAP_FAILED)
            munmap(w, ARENA_BYTES);
        if (x != MAP_FAILED)
            munmap(x, ARENA_BYTES);
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

uint8_t *arena_take(void)
{
    uint8_t *chunk = NULL;

    pthread_mutex_lock(&lock);
    if (free_list) {
        chunk = free_list;
        memcpy(&free_list, arena_writable(chunk), sizeof(free_list));
    } else if (n_bumped < ARENA_BYTES / ARENA_CHUNK) {
        chunk = exec_base + n_bumped++ * ARENA_CHUNK;
    }
    n_taken += chunk != NULL;
    pthread_mutex_unlock(&lock);
    return chunk;
}

void arena_give(uint8_t *chunk)
{
    pthread_mutex_lock(&lock);
    memcpy(arena_writable(chunk), &free_list, sizeof(free_list));
    free_list = chunk;
    n_taken--;
    pthread_mutex_unlock(&lock);
}

size_t arena_used(void)
{
    size_t n;

    pthread_mutex_lock(&lock);
    n = n_taken * ARENA_CHUNK;
    pthread_mutex_unlock(&lock);
    return n;
}
