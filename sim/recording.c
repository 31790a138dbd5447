/*
 * Recordings: written as things enter, by a thread, so that the run does not wait for the disk.
 *
 *     recording_note -> filling          swapped: when 64 KiB are there, or the first of it
 *     thread            writing -> file  has waited 100 ms; so that is what a crash may cost
 *
 * The run waits only if 16 MiB are there. What is noted while a network is built waits until that
 * is built.
 *
 *     kind u8 | inlet u32 | at i64 | len u32 | len bytes
 */
#include "sim/recording.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "sim/inlet.h"
#include "sim/thread.h"

#define ENOUGH (64u << 10)
#define TOO_MUCH (16u << 20)
#define PATIENCE_NS (100 * NS_PER_MS) /* of host time */

struct buffer {
    uint8_t *bytes;
    uint32_t n, cap;
};

struct recording {
    char *path;
    char *end; /* how the run ended, in words */
    int fd;
    bool made;  /* there was no such file */
    bool begun; /* the thread runs */
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t more;  /* there is something, or enough, to write; or it is the end */
    pthread_cond_t room;  /* `filling` is empty */
    struct buffer filling;
    bool closing;
    int error; /* errno of the first write that failed; nothing is written after it */
};

/* --- the thread --- */

static int write_all(int fd, const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done ? errno : EIO;
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

static struct timespec patience_end(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += PATIENCE_NS;
    t.tv_sec += t.tv_nsec / NS_PER_SEC;
    t.tv_nsec %= NS_PER_SEC;
    return t;
}

/* Waits until there is something that should be written now, or it is the end. */
static void wait_for_more(struct recording *r)
{
    while (!r->filling.n && !r->closing)
        pthread_cond_wait(&r->more, &r->lock);
    struct timespec end = patience_end();
    while (r->filling.n < ENOUGH && !r->closing)
        if (pthread_cond_timedwait(&r->more, &r->lock, &end) != 0)
            return;
}

static void *writer(void *opaque)
{
    struct recording *r = opaque;
    struct buffer writing = {0};

    pthread_mutex_lock(&r->lock);
    for (wait_for_more(r); r->filling.n; wait_for_more(r)) {
        struct buffer full = r->filling;
        bool failed = r->error;
        r->filling = writing;
        r->filling.n = 0;
        writing = full;
        pthread_cond_signal(&r->room);
        pthread_mutex_unlock(&r->lock);
        int error = failed ? 0 : write_all(r->fd, writing.bytes, writing.n);
        pthread_mutex_lock(&r->lock);
        r->error = failed ? r->error : error;
    }
    pthread_mutex_unlock(&r->lock);
    free(writing.bytes);
    return NULL;
}

/* --- the run's side --- */

/* With the lock. */
static void put(struct recording *r, const void *p, size_t len)
{
    struct buffer *b = &r->filling;

    if (!len)
        return;
    array_reserve(b->bytes, &b->cap, b->n + (uint32_t)len);
    memcpy(b->bytes + b->n, p, len);
    b->n += (uint32_t)len;
}

static void begin(struct recording *r)
{
    pthread_mutex_lock(&r->lock);
    while (r->begun && r->filling.n >= TOO_MUCH)
        pthread_cond_wait(&r->room, &r->lock);
}

static void done(struct recording *r, uint32_t before)
{
    if (!before || (before < ENOUGH && r->filling.n >= ENOUGH))
        pthread_cond_signal(&r->more);
    pthread_mutex_unlock(&r->lock);
}

static void locks_init(struct recording *r)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->more, &monotonic);
    pthread_cond_init(&r->room, NULL);
    pthread_condattr_destroy(&monotonic);
}

struct recording *recording_create(const char *path, const char *header, struct err *err)
{
    bool made = access(path, F_OK) != 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

    if (fd < 0) {
        err_add(err, "the recording %s cannot be made: %s", path, strerror(errno));
        return NULL;
    }
    struct recording *r = xcalloc(1, sizeof(*r));
    r->path = xstrdup(path);
    r->fd = fd;
    r->made = made;
    put(r, RECORDING_MAGIC, sizeof(RECORDING_MAGIC) - 1);
    put(r, header, strlen(header));
    put(r, "\n", 1);
    locks_init(r);
    return r;
}

void recording_begin(struct recording *r)
{
    if (r->begun)
        return;
    r->begun = true;
    if (ftruncate(r->fd, 0) != 0 && errno != EINVAL) /* a pipe or a device has no length */
        r->error = errno;
    thread_start(&r->thread, writer, r);
}

void recording_note(struct recording *r, uint32_t inlet, uint8_t kind, vtime_t at, const void *p,
                    size_t len)
{
    uint8_t h[RECORDING_ENTRY];

    h[0] = kind;
    store_le32(h + 1, inlet);
    store_le64(h + 5, (uint64_t)at);
    store_le32(h + 13, (uint32_t)len);
    begin(r);
    uint32_t before = r->filling.n;
    put(r, h, sizeof(h));
    put(r, p, len);
    done(r, before);
}

void recording_ended(struct recording *r, const char *how)
{
    free(r->end);
    r->end = xstrdup(how);
}

static void writer_stop(struct recording *r)
{
    pthread_mutex_lock(&r->lock);
    r->closing = true;
    pthread_cond_signal(&r->more);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
}

static void recording_free(struct recording *r)
{
    pthread_cond_destroy(&r->more);
    pthread_cond_destroy(&r->room);
    pthread_mutex_destroy(&r->lock);
    free(r->filling.bytes);
    free(r->path);
    free(r->end);
    free(r);
}

void recording_abandon(struct recording *r)
{
    if (!r)
        return;
    assert(!r->begun);
    close(r->fd);
    if (r->made)
        unlink(r->path);
    recording_free(r);
}

bool recording_close(struct recording *r, vtime_t at, struct err *err)
{
    bool good;

    if (!r)
        return true;
    recording_begin(r);
    recording_note(r, UINT32_MAX, INLET_END, at, r->end, r->end ? strlen(r->end) : 0);
    writer_stop(r);
    if (close(r->fd) != 0 && !r->error)
        r->error = errno;
    good = !r->error;
    if (!good)
        err_add(err, "the recording %s is not complete: %s", r->path, strerror(r->error));
    recording_free(r);
    return good;
}
