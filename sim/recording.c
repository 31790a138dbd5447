/*
 * Recordings: written as things enter. In large pieces, and what has been written is handed to the
 * host at least every 100 ms, so that a run that is killed leaves all but its last moment.
 *
 *     kind u8 | inlet u32 | at i64 | len u32 | len bytes
 */
#include "sim/recording.h"

#include <errno.h>
#include <stdio.h>

#include "sim/host_time.h"
#include "sim/inlet.h"

#define BUFFER (256u << 10)
#define FLUSH_INTERVAL (100 * NS_PER_MS) /* of host time: what a crash may cost */

struct recording {
    char *path;
    FILE *file;
    int error; /* errno of the first write that failed; nothing is written after it */
    int64_t flushed_ns;
    char *end; /* how the run ended, in words */
};

static void put(struct recording *r, const void *p, size_t len)
{
    if (!r->error && len && fwrite(p, len, 1, r->file) != 1)
        r->error = errno ? errno : EIO;
}

static void flush(struct recording *r)
{
    if (!r->error && fflush(r->file) != 0)
        r->error = errno;
}

struct recording *recording_create(const char *path, const char *header, struct err *err)
{
    FILE *file = fopen(path, "wbe");

    if (!file) {
        err_add(err, "the recording %s cannot be made: %s", path, strerror(errno));
        return NULL;
    }
    setvbuf(file, NULL, _IOFBF, BUFFER);
    struct recording *r = xcalloc(1, sizeof(*r));
    r->path = xstrdup(path);
    r->file = file;
    put(r, RECORDING_MAGIC, sizeof(RECORDING_MAGIC) - 1);
    put(r, header, strlen(header));
    put(r, "\n", 1);
    flush(r);
    return r;
}

void recording_note(struct recording *r, uint32_t inlet, uint8_t kind, vtime_t at, const void *p,
                    size_t len)
{
    uint8_t h[RECORDING_ENTRY];
    int64_t now = host_now_ns();

    h[0] = kind;
    store_le32(h + 1, inlet);
    store_le64(h + 5, (uint64_t)at);
    store_le32(h + 13, (uint32_t)len);
    put(r, h, sizeof(h));
    put(r, p, len);
    if (now - r->flushed_ns > FLUSH_INTERVAL) {
        flush(r);
        r->flushed_ns = now;
    }
}

void recording_ended(struct recording *r, const char *how)
{
    free(r->end);
    r->end = xstrdup(how);
}

bool recording_close(struct recording *r, vtime_t at, struct err *err)
{
    bool good;

    if (!r)
        return true;
    recording_note(r, UINT32_MAX, INLET_END, at, r->end, r->end ? strlen(r->end) : 0);
    flush(r);
    if (fclose(r->file) != 0 && !r->error)
        r->error = errno;
    good = !r->error;
    if (!good)
        err_add(err, "the recording %s is not complete: %s", r->path, strerror(r->error));
    free(r->path);
    free(r->end);
    free(r);
    return good;
}
