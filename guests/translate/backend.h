/* What a host architecture provides to the translator: one folder beside this file for each. */
#ifndef GUESTS_TRANSLATE_BACKEND_H
#define GUESTS_TRANSLATE_BACKEND_H

#include "guests/cpu.h"
#include "guests/translate/arena.h"
#include "guests/translate/trace.h"

/** A way out of a trace to a place in the same page: a jump that is patched once that is translated. */
struct native_exit {
    struct code *code;
    uint8_t *site; /* executable address of the bytes to patch */
    int32_t off;   /* where it goes: page offset */
};

/** Room for a part of a trace: at an executable address, written by way of arena_writable. */
struct room {
    uint8_t *exec; /* aligned to 16 */
    size_t size, used;
};

/**
 * Where a trace goes: the code that runs, and behind it all the rest. That is what happens rarely, the
 * exits, and the steps: a block of pairs of ops, an instruction and op_return, whose imm is what
 * `left` lacks for the count to be right at the instruction. Machine code has the interpreter do
 * instruction i by native_step(h, &steps->ops[2 * i], page_va, left + imm).
 */
struct emission {
    struct room part[ARENA_PARTS];
    struct code *code;
};

/** Prepare the common pieces in a chunk of the arena, once. False: this host lacks something. */
bool backend_init(void);

/** Translate a trace. False: there was not enough room in `*full`; nothing is left behind. */
bool backend_emit(const struct trace *t, struct emission *e, enum arena_part *full);

/** Let an exit lead to `entry` directly. Other threads may be executing it. */
void backend_patch(const struct native_exit *exit, const uint8_t *entry);

/** Where a block that has no machine code leads: leaves, the pc in its place. */
const uint8_t *backend_leave(void);

/** Run machine code until it leaves; pc and icount are exact then. */
void backend_enter(struct hart *h, const uint8_t *entry, int64_t left);

/* --- called by machine code --- */

/** Interpret one instruction. False: leave, pc and icount are set. */
bool native_step(struct hart *h, const struct op *op, uint64_t page_va, int64_t left);

/** Where to go on at an exit; NULL: leave, pc and icount are set. */
const uint8_t *native_resolve(struct hart *h, const struct native_exit *exit, int64_t left);

#endif
