/*
 * Console logs: what each guest prints, in a file. Files are opened for the moment of writing
 * only, so that a hundred thousand guests need no more descriptors than one.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guests/machine.h"
#include "topo/run.h"

#define BUFFER (16u << 10)

struct one_log {
    struct console_sink sink;
    struct conlog *all;
    struct console *console;
    char *path;
    uint8_t *bytes;
    size_t n, cap;
};

struct conlog {
    struct run *run;
    bool failed; /* one sentence is enough */
    struct one_log *logs;
    size_t n;
};

static bool write_all(int fd, const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t did = write(fd, p, n);
        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            return false;
        p += did;
        n -= (size_t)did;
    }
    return true;
}

/* Writes what is there at the end of the file; the first time makes or empties it. */
static bool log_flush(struct one_log *l, bool first)
{
    int fd = open(l->path, O_WRONLY | O_CREAT | O_CLOEXEC | (first ? O_TRUNC : O_APPEND), 0666);
    bool good = fd >= 0 && write_all(fd, l->bytes, l->n);
    if (!good && !l->all->failed) {
        err_add(&l->all->run->err, "the console log %s cannot be written: %s", l->path,
                strerror(errno));
        l->all->failed = true;
    }
    if (fd >= 0)
        close(fd);
    l->n = 0;
    return good;
}

static void on_bytes(struct console_sink *sink, vtime_t at, const uint8_t *p, size_t n)
{
    struct one_log *l = container_of(sink, struct one_log, sink);
    (void)at;
    if (l->all->failed)
        return;
    if (l->n + n > l->cap) {
        l->cap = MAX(l->cap * 2, l->n + n);
        l->bytes = xrealloc(l->bytes, l->cap);
    }
    memcpy(l->bytes + l->n, p, n);
    l->n += n;
    if (l->n >= BUFFER && !log_flush(l, false))
        sim_stop(&l->all->run->network.sim);
}

static struct conlog *conlog_new(struct run *r, size_t n)
{
    struct conlog *all = xcalloc(1, sizeof(*all));
    all->run = r;
    all->logs = xcalloc(n + 1, sizeof(*all->logs));
    return all;
}

static bool log_start(struct conlog *all, struct topo_guest *g, char *path)
{
    struct one_log *l = &all->logs[all->n++];
    *l = (struct one_log){.sink = {.bytes = on_bytes}, .all = all, .path = path};
    l->console = machine_console(g->machine, 0);
    console_add_sink(l->console, &l->sink);
    return log_flush(l, true);
}

struct conlog *conlog_open(struct run *r, const char *folder)
{
    const topo_objects *guests = &r->topo->guests;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        err_add(&r->err, "--log %s: the folder cannot be made: %s", folder, strerror(errno));
        return NULL;
    }
    struct conlog *all = conlog_new(r, guests->n);
    bool good = true;
    for (size_t i = 0; good && i < guests->n; i++)
        good = log_start(all, (struct topo_guest *)guests->items[i],
                         xasprintf("%s/%s.log", folder, guests->items[i]->name));
    if (good)
        return all;
    conlog_close(r, all);
    return NULL;
}

struct conlog *conlog_open_one(struct run *r, struct topo_guest *g, const char *path)
{
    struct conlog *all = conlog_new(r, 1);
    if (log_start(all, g, xstrdup(path)))
        return all;
    conlog_close(r, all);
    return NULL;
}

void conlog_close(struct run *r, struct conlog *all)
{
    (void)r;
    if (!all)
        return;
    for (size_t i = 0; i < all->n; i++) {
        struct one_log *l = &all->logs[i];
        if (l->n && !all->failed)
            log_flush(l, false);
        console_remove_sink(l->console, &l->sink);
        free(l->bytes);
        free(l->path);
    }
    free(all->logs);
    free(all);
}
