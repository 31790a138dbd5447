/*
 * ELF64 images for RISC-V: their loadable segments, by physical address.
 *
 *     0   7f 45 4c 46 class=2 data=1 version=1      24  entry  (8)     54  phentsize (2)
 *     16  type (2)  machine=243 (2)                 32  phoff  (8)     56  phnum (2)
 *     40  shoff (8)                                 58  shentsize (2)  60  shnum (2)
 *
 * An image whose addresses are only relative (ET_DYN from 0, as Debian's firmware is) goes to
 * where the request says; it relocates itself. Section headers and symbols
 * are looked at only if someone wants names for code, and then may be wrong.
 *
 * Segments rarely begin and end at pages, and what does not must be copied for each guest. So
 * the file is laid out once as it will lie in RAM, and those pages are shared.
 */
#include "guests/loader.h"

#include <elf.h>
#include <inttypes.h>

#include "guests/translate/symbols.h"

bool elf_is(const struct blob *b)
{
    uint8_t magic[SELFMAG];

    return blob_read(b, 0, magic, SELFMAG) && memcmp(magic, ELFMAG, SELFMAG) == 0;
}

struct elf {
    uint64_t entry, phoff, shoff;
    uint16_t type, phentsize, phnum, shentsize, shnum;
};

/* NULL, or what is wrong with the header. */
static const char *header_read(struct elf *e, const struct blob *b)
{
    uint8_t h[64];

    if (!blob_read(b, 0, h, sizeof(h)))
        return "its ELF header is cut short";
    if (h[EI_CLASS] != ELFCLASS64 || h[EI_DATA] != ELFDATA2LSB)
        return "it is not a 64-bit little-endian ELF file";
    if (load_le16(h + 18) != EM_RISCV)
        return "it is an ELF file for another processor, not RISC-V";
    e->type = load_le16(h + 16);
    e->entry = load_le64(h + 24);
    e->phoff = load_le64(h + 32);
    e->shoff = load_le64(h + 40);
    e->phentsize = load_le16(h + 54);
    e->phnum = load_le16(h + 56);
    e->shentsize = load_le16(h + 58);
    e->shnum = load_le16(h + 60);
    if (e->type != ET_EXEC && e->type != ET_DYN)
        return "it is not an executable ELF file; link it first";
    if (e->phentsize < 56)
        return "its ELF program headers are too small";
    return NULL;
}

struct segment {
    uint32_t type;
    uint64_t offset, vaddr, paddr, filesz, memsz;
};

static bool segment_read(struct segment *s, const struct elf *e, const struct blob *b, unsigned i)
{
    uint8_t p[56];
    uint64_t at = e->phoff + (uint64_t)i * e->phentsize;

    if (at < e->phoff || !blob_read(b, at, p, sizeof(p)))
        return false;
    *s = (struct segment){.type = load_le32(p),
                          .offset = load_le64(p + 8),
                          .vaddr = load_le64(p + 16),
                          .paddr = load_le64(p + 24),
                          .filesz = load_le64(p + 32),
                          .memsz = load_le64(p + 40)};
    return true;
}

/* What to add to the addresses: ET_DYN files linked at 0 lie anywhere. */
static bool bias_find(const struct elf *e, const struct image *im, const struct image_request *r,
                      uint64_t *bias)
{
    uint64_t lowest = UINT64_MAX;
    struct segment s;

    for (unsigned i = 0; i < e->phnum; i++) {
        if (!segment_read(&s, e, im->blob, i))
            return false;
        if (s.type == PT_LOAD && s.memsz > 0)
            lowest = MIN(lowest, s.paddr);
    }
    *bias = e->type == ET_DYN && lowest < r->ram_base ? r->at - (lowest & ~(uint64_t)PAGE_MASK) : 0;
    return true;
}

/* Add a segment; the entry is a virtual address, and means the place in the segment it is in. */
static bool segment_add(struct image *im, const struct image_request *r, const struct elf *e,
                        const struct segment *s, uint64_t bias, struct err *err)
{
    struct image_part part = {s->paddr + bias, s->memsz, s->offset, s->filesz};

    if (e->entry >= s->vaddr && e->entry - s->vaddr < s->memsz)
        im->entry = part.addr + (e->entry - s->vaddr);
    return image_add_part(im, r, &part, err);
}

/* A larger image is left as it is: it may be sparse. */
#define LAYOUT_MAX (64ULL << 20)

/* The segments' bytes from the first page on, in pages; a new reference. */
static struct blob *layout_make(const struct image *im, uint64_t base, uint64_t len)
{
    uint8_t *bytes = xcalloc(1, (size_t)len);
    struct blob *b;

    for (unsigned i = 0; i < im->n_parts; i++) {
        const struct image_part *p = &im->parts[i];

        blob_read(im->blob, p->offset, bytes + (p->addr - base), p->file_len);
    }
    b = blob_from_bytes(im->blob->path, bytes, (size_t)len);
    free(bytes);
    return b;
}

/* Replace the parts by one: the same for every bias, since that is a multiple of a page. */
static void layout(struct image *im)
{
    uint64_t base = im->start & ~(uint64_t)PAGE_MASK, end = base;
    struct blob *b;

    for (unsigned i = 0; i < im->n_parts; i++)
        end = MAX(end, im->parts[i].addr + im->parts[i].file_len);
    if (end - base == 0 || end - base > LAYOUT_MAX)
        return;
    b = blob_derived(im->blob);
    if (!b)
        b = blob_derive(im->blob, layout_make(im, base, end - base));
    blob_put(im->blob);
    im->blob = b;
    im->parts[0] = (struct image_part){base, im->end - base, 0, end - base};
    im->n_parts = 1;
}

/* --- symbols, for names of translated code --- */

struct section {
    uint32_t type, link;
    uint64_t flags, offset, size;
};

static bool section_read(struct section *s, const struct elf *e, const struct blob *b, unsigned i)
{
    uint8_t h[64];
    uint64_t at = e->shoff + (uint64_t)i * e->shentsize;

    if (i >= e->shnum || at < e->shoff || !blob_read(b, at, h, sizeof(h)))
        return false;
    *s = (struct section){.type = load_le32(h + 4),
                          .flags = load_le64(h + 8),
                          .offset = load_le64(h + 24),
                          .size = load_le64(h + 32),
                          .link = load_le32(h + 40)};
    return true;
}

/* A string of the table at `at`, of which the first bytes are enough; "" where there is none. */
static void name_read(char *buf, size_t size, const struct blob *b, uint64_t at)
{
    size_t n = 0;

    while (n + 1 < size && blob_read(b, at + n, buf + n, 1) && buf[n])
        n++;
    buf[n] = '\0';
}

/* What symbols are turned into physical addresses with. */
struct load_map {
    struct segment segments[IMAGE_MAX_PARTS];
    unsigned n;
    uint64_t bias;
};

static void load_map_make(struct load_map *m, const struct elf *e, const struct blob *b,
                          uint64_t bias)
{
    m->n = 0;
    m->bias = bias;
    for (unsigned i = 0; i < e->phnum && m->n < IMAGE_MAX_PARTS; i++)
        if (segment_read(&m->segments[m->n], e, b, i) && m->segments[m->n].type == PT_LOAD)
            m->n++;
}

/* One of the symbol table: a function, or a label in code. */
static void symbol_take(struct symbols *to, const struct elf *e, const struct blob *b,
                        const struct load_map *m, const uint8_t *sym, uint64_t names)
{
    unsigned type = ELF64_ST_TYPE(sym[4]);
    uint64_t value = load_le64(sym + 8);
    struct section in;
    char name[128];

    if ((type != STT_FUNC && type != STT_NOTYPE) ||
        !section_read(&in, e, b, load_le16(sym + 6)) || !(in.flags & SHF_EXECINSTR))
        return;
    for (unsigned i = 0; i < m->n; i++) {
        const struct segment *s = &m->segments[i];

        if (value < s->vaddr || value - s->vaddr >= s->memsz)
            continue;
        name_read(name, sizeof(name), b, names + load_le32(sym));
        symbols_add(to, value - s->vaddr + s->paddr + m->bias, type == STT_FUNC, name);
        return;
    }
}

#define SYMBOL_SIZE 24
#define SYMBOLS_READ (1u << 22) /* of a table; more would only take time */

/* Of the file that was laid out as the image's one part. */
static void symbols_keep(const struct image *im, const struct elf *e, const struct blob *file,
                         uint64_t bias)
{
    struct symbols all = {0};
    struct load_map map;
    struct section table, names;
    uint8_t sym[SYMBOL_SIZE];
    unsigned i = 0;

    while (section_read(&table, e, file, i) && table.type != SHT_SYMTAB)
        i++;
    if (i >= e->shnum || !section_read(&names, e, file, table.link))
        return;
    load_map_make(&map, e, file, bias);
    for (uint64_t k = 0; k < MIN(table.size / SYMBOL_SIZE, SYMBOLS_READ); k++) {
        if (!blob_read(file, table.offset + k * SYMBOL_SIZE, sym, sizeof(sym)))
            break;
        symbol_take(&all, e, file, &map, sym, names.offset);
    }
    symbols_of_image(&all, im->blob, im->parts[0].addr);
}

bool elf_open(struct image *im, const struct image_request *r, struct err *err)
{
    struct elf e;
    struct segment s;
    uint64_t bias = 0;
    struct blob *file;
    const char *wrong = header_read(&e, im->blob);

    if (!wrong && !bias_find(&e, im, r, &bias))
        wrong = "its ELF program headers are cut short";
    if (wrong) {
        err_add(err, "%s %s: %s", r->what, r->path, wrong);
        return false;
    }
    im->kind = IMAGE_ELF;
    im->entry = e.entry + bias;
    for (unsigned i = 0; i < e.phnum; i++) {
        segment_read(&s, &e, im->blob, i);
        if (s.type == PT_LOAD && s.memsz > 0 && !segment_add(im, r, &e, &s, bias, err))
            return false;
    }
    if (im->n_parts == 0) {
        err_add(err, "%s %s: the ELF file has nothing to load", r->what, r->path);
        return false;
    }
    if (im->entry < im->start || im->entry >= im->end) {
        err_add(err, "%s %s: its entry 0x%" PRIx64 " lies outside what it loads", r->what, r->path,
                im->entry);
        return false;
    }
    if (!symbols_wanted()) {
        layout(im);
        return true;
    }
    file = blob_ref(im->blob);
    layout(im);
    if (im->blob != file)
        symbols_keep(im, &e, file, bias);
    blob_put(file);
    return true;
}
