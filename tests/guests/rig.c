/* What the tests of guests share: files made of bytes, ELF files made of segments, a machine. */
#include "tests/guests/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static char *files[64];
static size_t n_files;

const char *file_make(const void *bytes, size_t len)
{
    const char *dir = getenv("TMPDIR");
    char *path = xasprintf("%s/lanarium-test-XXXXXX", dir ? dir : "/tmp");
    int fd = mkstemp(path);

    assert_true(fd >= 0 && n_files < ARRAY_LEN(files));
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
    files[n_files++] = path;
    return path;
}

void files_remove(void)
{
    while (n_files > 0) {
        unlink(files[--n_files]);
        free(files[n_files]);
    }
}

void bytes_add(struct bytes *b, const void *p, size_t len)
{
    b->p = xrealloc(b->p, b->n + len + 1);
    memcpy(b->p + b->n, p, len);
    b->n += len;
}

void bytes_pad(struct bytes *b, size_t len)
{
    if (b->n >= len)
        return;
    b->p = xrealloc(b->p, len + 1);
    memset(b->p + b->n, 0, len - b->n);
    b->n = len;
}

void bytes_finish(struct bytes *b)
{
    free(b->p);
    *b = (struct bytes){0};
}

struct bytes elf_make(uint16_t type, uint64_t entry, const struct elf_segment *s, unsigned n)
{
    uint8_t h[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    struct bytes b = {0};

    store_le16(h + 16, type);
    store_le16(h + 18, 243);
    store_le32(h + 20, 1);
    store_le64(h + 24, entry);
    store_le64(h + 32, 64);
    store_le16(h + 52, 64);
    store_le16(h + 54, 56);
    store_le16(h + 56, (uint16_t)n);
    bytes_add(&b, h, sizeof(h));
    for (unsigned i = 0; i < n; i++) {
        uint8_t p[56] = {1};

        store_le64(p + 8, s[i].offset);
        store_le64(p + 16, s[i].addr);
        store_le64(p + 24, s[i].addr);
        store_le64(p + 32, s[i].file_len);
        store_le64(p + 40, s[i].mem_len);
        bytes_add(&b, p, sizeof(p));
    }
    return b;
}

static void sink_bytes(struct console_sink *s, vtime_t at, const uint8_t *p, size_t n)
{
    struct rig *r = container_of(s, struct rig, sink);

    (void)at;
    bytes_add(&r->output, p, n);
}

void rig_init(struct rig *r, uint64_t seed, vtime_t max_window)
{
    struct sim_options o = {.seed = seed, .max_window = max_window};

    *r = (struct rig){.sink.bytes = sink_bytes};
    sim_init(&r->sim, &o);
}

void rig_start(struct rig *r, const struct machine_config *c)
{
    r->machine = machine_create(&r->sim, "h1", c, &r->err);
    err_print(&r->err, stderr);
    assert_non_null(r->machine);
    console_add_sink(machine_console(r->machine, 0), &r->sink);
}

const char *rig_output(struct rig *r)
{
    bytes_add(&r->output, "", 0);
    r->output.p[r->output.n] = '\0';
    return (const char *)r->output.p;
}

void rig_finish(struct rig *r)
{
    machine_destroy(r->machine);
    sim_finish(&r->sim);
    bytes_finish(&r->output);
    err_finish(&r->err);
    assert_int_equal(page_alive(), 0);
}

uint64_t rig_word(struct rig *r, uint64_t addr)
{
    uint8_t bytes[8];

    assert_true(ram_read(&r->machine->ram, addr, bytes, sizeof(bytes)));
    return load_le64(bytes);
}
