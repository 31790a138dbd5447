/* What the tests of guests share: files made of bytes, ELF files made of segments, a machine. */
#ifndef TESTS_GUESTS_RIG_H
#define TESTS_GUESTS_RIG_H

#include "guests/machine_internal.h"

/** A temporary file of these bytes; its path is valid until files_remove. */
const char *file_make(const void *bytes, size_t len);
void files_remove(void);

/** Bytes that grow: what a test builds an image in. */
struct bytes {
    uint8_t *p;
    size_t n;
};
void bytes_add(struct bytes *b, const void *p, size_t len);
/** Up to `len` bytes, with zeroes. */
void bytes_pad(struct bytes *b, size_t len);
void bytes_finish(struct bytes *b);

struct elf_segment {
    uint64_t offset, addr, file_len, mem_len;
};

/** An ELF header and program headers for segments; the caller adds what lies at their offsets. */
struct bytes elf_make(uint16_t type, uint64_t entry, const struct elf_segment *s, unsigned n);

/** An engine, a machine, and what it wrote to its console. */
struct rig {
    struct sim sim;
    struct machine *machine;
    struct console_sink sink;
    struct bytes output; /* 0-ended by rig_output */
    struct err err;
};

void rig_init(struct rig *r, uint64_t seed, vtime_t max_window);
/** Make the machine "h1"; fails the test with the sentences if it cannot be made. */
void rig_start(struct rig *r, const struct machine_config *c);
const char *rig_output(struct rig *r);
/** Asserts that no page stays alive. */
void rig_finish(struct rig *r);

/** A 64-bit word of the machine's RAM. */
uint64_t rig_word(struct rig *r, uint64_t addr);

#endif
