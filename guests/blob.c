/*
 * Files as pages: each is read once, and shared by all guests that load it.
 *
 * The cache is a list: a run names a handful of files. An entry lives as long as someone
 * holds it; machines hold theirs, to be able to start again.
 */
#include "guests/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

struct entry {
    struct blob blob;
    uint32_t refs; /* under `lock`, as are the two below */
    struct entry *next;
    struct blob *derived;
    bool cached;
    size_t cap_pages;
    /* what the file was when it was read */
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *cache;

static struct entry *entry_of(struct blob *b)
{
    return container_of(b, struct entry, blob);
}

static struct entry *entry_new(const char *name)
{
    struct entry *e = xcalloc(1, sizeof(*e));

    e->blob.path = xstrdup(name);
    e->refs = 1;
    return e;
}

static void entry_free(struct entry *e)
{
    for (size_t i = 0; i < e->blob.n_pages; i++)
        page_unref(e->blob.pages[i]);
    free(e->blob.pages);
    free(e->blob.path);
    free(e);
}

/* With the lock held: whether that was the last reference; it is out of the cache then. */
static bool entry_release(struct entry *e)
{
    if (--e->refs > 0)
        return false;
    for (struct entry **p = &cache; *p; p = &(*p)->next) {
        if (*p == e) {
            *p = e->next;
            break;
        }
    }
    return true;
}

struct blob *blob_ref(struct blob *b)
{
    pthread_mutex_lock(&lock);
    entry_of(b)->refs++;
    pthread_mutex_unlock(&lock);
    return b;
}

void blob_put(struct blob *b)
{
    while (b) {
        struct blob *derived = entry_of(b)->derived;
        bool last;

        pthread_mutex_lock(&lock);
        last = entry_release(entry_of(b));
        pthread_mutex_unlock(&lock);
        if (!last)
            return;
        entry_free(entry_of(b));
        b = derived;
    }
}

/* Make the page that takes the next byte. */
static uint8_t *entry_next_page(struct entry *e)
{
    if (e->blob.n_pages == e->cap_pages) {
        e->cap_pages = e->cap_pages ? 2 * e->cap_pages : 16;
        e->blob.pages = xrealloc(e->blob.pages, e->cap_pages * sizeof(*e->blob.pages));
    }
    struct page *p = page_new();
    memset(p->data, 0, PAGE_SIZE);
    e->blob.pages[e->blob.n_pages++] = p;
    return p->data;
}

static bool bytes_are_zero(const uint8_t *p, size_t n)
{
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* A page that turned out to be all zeroes is everybody's. */
static void entry_share_zero(struct entry *e)
{
    struct page **last = &e->blob.pages[e->blob.n_pages - 1];

    if (!bytes_are_zero((*last)->data, PAGE_SIZE))
        return;
    page_unref(*last);
    *last = page_zero();
}

static void entry_add(struct entry *e, const uint8_t *p, size_t len)
{
    while (len > 0) {
        size_t used = e->blob.size & PAGE_MASK, n = MIN(len, PAGE_SIZE - used);
        uint8_t *to = used ? e->blob.pages[e->blob.n_pages - 1]->data : entry_next_page(e);

        memcpy(to + used, p, n);
        e->blob.size += n;
        p += n;
        len -= n;
        if ((e->blob.size & PAGE_MASK) == 0)
            entry_share_zero(e);
    }
}

void blob_writer_init(struct blob_writer *w, const char *name, uint64_t max)
{
    w->blob = &entry_new(name)->blob;
    w->max = max;
}

bool blob_writer_add(struct blob_writer *w, const void *p, size_t len)
{
    if (len > w->max - w->blob->size)
        return false;
    entry_add(entry_of(w->blob), p, len);
    return true;
}

struct blob *blob_writer_end(struct blob_writer *w)
{
    struct blob *b = w->blob;

    w->blob = NULL;
    return b;
}

struct blob *blob_from_bytes(const char *name, const void *bytes, size_t len)
{
    struct entry *e = entry_new(name);

    entry_add(e, bytes, len);
    return &e->blob;
}

static bool entry_is(const struct entry *e, const struct stat *st)
{
    return e->dev == st->st_dev && e->ino == st->st_ino && e->size == st->st_size &&
           e->changed.tv_sec == st->st_mtim.tv_sec && e->changed.tv_nsec == st->st_mtim.tv_nsec;
}

static struct entry *cache_find(const struct stat *st)
{
    for (struct entry *e = cache; e; e = e->next)
        if (entry_is(e, st))
            return e;
    return NULL;
}

/* Fill an entry from a file; false with a sentence. */
static bool entry_read(struct entry *e, int fd, const char *what, struct err *err)
{
    uint8_t buf[16 * PAGE_SIZE];
    ssize_t n;

    for (;;) {
        n = read(fd, buf, sizeof(buf));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        if ((uint64_t)n > BLOB_MAX - e->blob.size) {
            err_add(err, "%s %s: it is larger than 1 GiB", what, e->blob.path);
            return false;
        }
        entry_add(e, buf, (size_t)n);
    }
    if (n < 0)
        err_add(err, "%s %s: %s", what, e->blob.path, strerror(errno));
    else if (e->blob.size == 0)
        err_add(err, "%s %s: the file is empty", what, e->blob.path);
    return n == 0 && e->blob.size > 0;
}

static struct entry *entry_load(int fd, const struct stat *st, const char *what, const char *path,
                                struct err *err)
{
    struct entry *e = entry_new(path);

    if (!entry_read(e, fd, what, err)) {
        entry_free(e);
        return NULL;
    }
    e->dev = st->st_dev;
    e->ino = st->st_ino;
    e->size = st->st_size;
    e->changed = st->st_mtim;
    e->next = cache;
    cache = e;
    return e;
}

static struct blob *file_get(int fd, const char *what, const char *path, struct err *err)
{
    struct stat st;
    struct entry *e;

    if (fd < 0 || fstat(fd, &st) < 0) {
        err_add(err, "%s %s: %s", what, path, strerror(errno));
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        err_add(err, "%s %s: it is not a regular file", what, path);
        return NULL;
    }
    /* Reading under the lock is what makes two threads read a file once. */
    pthread_mutex_lock(&lock);
    e = cache_find(&st);
    if (e)
        e->refs++;
    else
        e = entry_load(fd, &st, what, path, err);
    pthread_mutex_unlock(&lock);
    return e ? &e->blob : NULL;
}

struct blob *blob_get(const char *what, const char *path, struct err *err)
{
    /* O_NONBLOCK: a FIFO is refused, not waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct blob *b = file_get(fd, what, path, err);

    if (fd >= 0)
        close(fd);
    return b;
}

size_t blob_span(const struct blob *b, uint64_t offset, const uint8_t **p)
{
    if (offset >= b->size)
        return 0;
    *p = b->pages[offset >> PAGE_SHIFT]->data + (offset & PAGE_MASK);
    return (size_t)MIN(b->size - offset, PAGE_SIZE - (offset & PAGE_MASK));
}

bool blob_read(const struct blob *b, uint64_t offset, void *buf, uint64_t len)
{
    uint8_t *to = buf;

    if (offset > b->size || len > b->size - offset)
        return false;
    while (len > 0) {
        const uint8_t *p = NULL;
        size_t n = (size_t)MIN(len, blob_span(b, offset, &p));

        memcpy(to, p, n);
        to += n;
        offset += n;
        len -= n;
    }
    return true;
}

void blob_map(const struct blob *b, struct ram *ram, uint64_t addr)
{
    struct blob padded = *b;

    padded.size = (uint64_t)b->n_pages * PAGE_SIZE;
    ram_map_blob(ram, addr, &padded, 0, padded.size);
}

struct blob *blob_derived(struct blob *b)
{
    struct blob *d;

    pthread_mutex_lock(&lock);
    d = entry_of(b)->derived;
    if (d)
        entry_of(d)->refs++;
    pthread_mutex_unlock(&lock);
    return d;
}

struct blob *blob_derive(struct blob *b, struct blob *made)
{
    struct blob *use;
    bool first;

    pthread_mutex_lock(&lock);
    first = !entry_of(b)->derived;
    if (first)
        entry_of(b)->derived = made;
    use = entry_of(b)->derived;
    entry_of(use)->refs++;
    pthread_mutex_unlock(&lock);
    if (!first)
        blob_put(made);
    return use;
}
