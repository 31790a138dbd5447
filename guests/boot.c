/*
 * Booting: which images a machine starts, where they lie, and in what state its harts begin.
 *
 *     RAM base          firmware, or a program linked there
 *     + 2 MiB           the kernel (Linux's text_offset; where OpenSBI jumps)
 *     ...               the initrd: QEMU's place if it fits, or straight after the kernel
 *     top, below 3 GiB  the device tree; for firmware, room for the tree to grow and
 *                       struct fw_dynamic_info
 */
#include <inttypes.h>
#include <stdio.h>

#include "guests/board.h"
#include "guests/sbi.h"

#define KERNEL_OFFSET (2ULL << 20)
#define TREE_CEILING (3ULL << 30)  /* QEMU's; 32-bit addresses with the sign bit trouble some */
#define INITRD_MAX_GAP (128ULL << 20)

/* OpenSBI, include/sbi/fw_dynamic.h: six words of XLEN bits. */
#define FW_INFO_MAGIC 0x4942534f
#define FW_INFO_VERSION 2
#define FW_INFO_SIZE 48
#define FW_NEXT_SUPERVISOR 1

/* OpenSBI and U-Boot add to the tree (reserved-memory, chosen) where it lies. */
#define FW_TREE_GROWTH (64ULL << 10)

static uint64_t page_up(uint64_t v)
{
    return (v + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
}

static bool image_get(struct machine *m, struct image *im, const char *role, const char *path,
                      uint64_t at, struct err *err)
{
    char *what = xasprintf("%s: %s", m->actor.name, role);
    struct image_request r = {what, path, m->ram.base, m->ram.size, at};
    bool ok = image_open(im, &r, err);

    free(what);
    return ok;
}

/* Firmware and kernel; false with sentences. */
static bool plan_images(struct machine *m, const struct machine_config *c, struct err *err)
{
    struct boot *b = &m->boot;
    bool bare = c->bios && strcmp(c->bios, "none") == 0;
    bool ok = true;

    if (c->bios && !bare)
        ok = b->has_bios = image_get(m, &b->bios, "bios", c->bios, m->ram.base, err);
    if (c->kernel) {
        uint64_t at = m->ram.base + (bare ? 0 : KERNEL_OFFSET);

        b->has_kernel = image_get(m, &b->kernel, "kernel", c->kernel, at, err);
        ok = ok && b->has_kernel;
    }
    if (!c->kernel && (!c->bios || bare)) {
        err_add(err, "%s: it has nothing to run: name a kernel or a bios", m->actor.name);
        return false;
    }
    if (!ok)
        return false;
    if (b->has_bios && b->has_kernel && b->bios.start < b->kernel.end &&
        b->kernel.start < b->bios.end) {
        err_add(err,
                "%s: kernel %s: it lies at 0x%" PRIx64 ", where the bios %s is; use bios = \"none\" "
                "for a kernel that is its own firmware",
                m->actor.name, c->kernel, b->kernel.start, c->bios);
        return false;
    }
    /* What is linked at the RAM's base expects to be what a real board starts there. */
    b->mode = b->has_bios || bare || b->kernel.start == m->ram.base ? BOOT_MACHINE
                                                                      : BOOT_SUPERVISOR;
    b->entry = b->has_bios ? b->bios.entry : b->kernel.entry;
    return true;
}

/* The device tree: the board's, or the user's with what the configuration says. */
static bool tree_make(struct machine *m, const struct machine_config *c, struct err *err)
{
    struct boot *b = &m->boot;
    char *what;
    struct blob *file;
    bool ok;

    free(b->dtb);
    b->dtb = NULL;
    if (!c->dtb) {
        b->dtb = m->board->tree(m, c->append, &b->dtb_len);
        return true;
    }
    what = xasprintf("%s: dtb", m->actor.name);
    file = blob_get(what, c->dtb, err);
    if (file) {
        b->dtb_len = file->size;
        b->dtb = xmalloc(file->size);
        blob_read(file, 0, b->dtb, file->size);
    }
    ok = file && fdt_set_chosen(&b->dtb, &b->dtb_len, c->append, b);
    if (file && !ok)
        err_add(err, "%s %s: it is not a device tree blob, or damaged", what, c->dtb);
    blob_put(file);
    free(what);
    return ok;
}

/* The end of what lies low in RAM. */
static uint64_t images_end(const struct machine *m)
{
    const struct boot *b = &m->boot;

    return MAX(b->has_bios ? b->bios.end : m->ram.base, b->has_kernel ? b->kernel.end : 0);
}

static bool plan_tree(struct machine *m, struct err *err)
{
    struct boot *b = &m->boot;
    uint64_t top = m->ram.base + m->ram.size, need = b->dtb_len;

    if (b->has_bios)
        need += FW_TREE_GROWTH + FW_INFO_SIZE;

    if (m->ram.base < TREE_CEILING)
        top = MIN(top, TREE_CEILING);
    b->dtb_at = need > top - m->ram.base ? 0 : (top - need) & ~(uint64_t)PAGE_MASK;
    b->info_at = top - FW_INFO_SIZE;
    if (b->dtb_at >= images_end(m))
        return true;
    err_add(err,
            "%s: the device tree of %zu bytes does not fit RAM above the kernel, which ends at "
            "0x%" PRIx64 "; give it more memory",
            m->actor.name, b->dtb_len, images_end(m));
    return false;
}

static bool plan_initrd(struct machine *m, const char *path, struct err *err)
{
    struct boot *b = &m->boot;
    uint64_t low = page_up(images_end(m)), size = page_up(b->initrd->size);
    uint64_t first = b->has_kernel ? b->kernel.start : m->ram.base;
    uint64_t at = first + MIN(m->ram.size / 2, INITRD_MAX_GAP);

    at &= ~(uint64_t)PAGE_MASK;
    if (at < low || at > b->dtb_at || size > b->dtb_at - at)
        at = low;
    if (at > b->dtb_at || size > b->dtb_at - at) {
        err_add(err,
                "%s: initrd %s: its %" PRIu64 " KiB do not fit RAM between the kernel, which ends "
                "at 0x%" PRIx64 ", and the device tree at 0x%" PRIx64 "; give it more memory",
                m->actor.name, path, size >> 10, low, b->dtb_at);
        return false;
    }
    b->initrd_start = at;
    b->initrd_end = at + b->initrd->size;
    return true;
}

static bool initrd_get(struct machine *m, const char *path, struct err *err)
{
    char *what = xasprintf("%s: initrd", m->actor.name);

    m->boot.initrd = blob_get(what, path, err);
    free(what);
    return m->boot.initrd != NULL;
}

bool boot_plan(struct machine *m, const struct machine_config *c, struct err *err)
{
    struct boot *b = &m->boot;
    bool ok = plan_images(m, c, err);

    if (c->initrd) {
        ok = initrd_get(m, c->initrd, err) && ok;
        b->initrd_start = b->initrd_end = m->ram.base; /* so that the tree has its final size */
    }
    ok = tree_make(m, c, err) && ok;
    if (!ok || !plan_tree(m, err))
        return false;
    if (!b->initrd)
        return true;
    return plan_initrd(m, c->initrd, err) && tree_make(m, c, err);
}

/* What OpenSBI's fw_dynamic finds at a2; firmware of other kinds does not look. */
static void info_write(struct machine *m)
{
    const struct boot *b = &m->boot;
    const uint64_t words[FW_INFO_SIZE / 8] = {
        FW_INFO_MAGIC, FW_INFO_VERSION, b->has_kernel ? b->kernel.entry : 0, FW_NEXT_SUPERVISOR,
        0 /* options */, 0 /* boot hart */,
    };
    uint8_t bytes[FW_INFO_SIZE];

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        store_le64(bytes + 8 * i, words[i]);
    ram_write(&m->ram, b->info_at, bytes, sizeof(bytes));
}

static void boot_fill(struct machine *m)
{
    const struct boot *b = &m->boot;

    if (b->has_bios)
        image_load(&b->bios, &m->ram);
    if (b->has_kernel)
        image_load(&b->kernel, &m->ram);
    if (b->initrd)
        blob_map(b->initrd, &m->ram, b->initrd_start);
    ram_write(&m->ram, b->dtb_at, b->dtb, b->dtb_len);
    if (b->has_bios)
        info_write(m);
}

void boot_start(struct machine *m)
{
    const struct boot *b = &m->boot;

    boot_fill(m);
    for (unsigned i = 0; i < m->n_harts; i++) {
        struct hart *h = &m->harts[i];

        h->stopped = false;
        h->x[10] = h->id;
        h->x[11] = b->dtb_at;
        h->x[12] = b->has_bios ? b->info_at : 0;
        if (b->mode == BOOT_SUPERVISOR)
            sbi_start(h, b->entry, b->dtb_at, i == 0);
    }
}

void boot_finish(struct boot *b)
{
    image_finish(&b->bios);
    image_finish(&b->kernel);
    blob_put(b->initrd);
    free(b->dtb);
    memset(b, 0, sizeof(*b));
}
