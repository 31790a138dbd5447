/* A client of GDB's remote serial protocol, as much of it as running programs needs. */
#ifndef TESTS_DIFF_GDB_H
#define TESTS_DIFF_GDB_H

#include <stdbool.h>

#include "sim/base.h"

/** `fd` is a connected stream socket; the caller closes it. */
struct gdb {
    int fd;
    char in[8192]; /* received and not yet looked at */
    size_t in_len;
};

/* All answer false if the other side fails, refuses, or is silent for ten seconds. */
bool gdb_open(struct gdb *g, int fd);
bool gdb_write(struct gdb *g, uint64_t addr, const void *bytes, size_t len);
bool gdb_read(struct gdb *g, uint64_t addr, void *bytes, size_t len);
bool gdb_set_reg(struct gdb *g, unsigned number, uint64_t value);
/** A hardware breakpoint. */
bool gdb_break(struct gdb *g, uint64_t addr);
/** Go on, and come back when it has stopped. */
bool gdb_continue(struct gdb *g);

#endif
