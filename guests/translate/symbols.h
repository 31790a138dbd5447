/* Symbols of guests, by which perf's user finds translated code. */
#ifndef GUESTS_TRANSLATE_SYMBOLS_H
#define GUESTS_TRANSLATE_SYMBOLS_H

#include <stdbool.h>

#include "guests/blob.h"
#include "sim/err.h"

/*
 * Guests have different programs at the same addresses. So the symbols of an image name only code
 * whose bytes are the image's, at the physical address where the image puts them. The symbols
 * of a file are virtual addresses, for all guests, where no image has a name.
 *
 * None of this is locked: symbols are added before guests run.
 */

/** A list of symbols that is being made; zero-initialise it. */
struct symbols {
    struct symbol *items;
    uint32_t n, cap;
};

/** Keep the symbols of images that are opened from now on; without it nothing is kept. */
void symbols_want(void);
bool symbols_wanted(void);

/**
 * Add a symbol; of those at one address a function's name is taken, else the first one. Assembler's
 * own ("$x", ".L1") are left out, and those that are too many.
 */
void symbols_add(struct symbols *s, uint64_t addr, bool function, const char *name);

/**
 * Take the list, whose addresses are physical, as an image's: `image` is its bytes (borrowed) as
 * they lie in RAM from `base` on. An image that is known there already is left as it is.
 */
void symbols_of_image(struct symbols *s, struct blob *image, uint64_t base);

/**
 * Read lines of "ADDRESS TYPE NAME" in any order, as System.map has and nm prints; what is
 * undefined or absolute is left out. False with a sentence about `path`.
 */
bool symbols_read(const char *path, struct err *err);

/** Let go of all that is known, and the images with it; when no guest runs any more. */
void symbols_forget(void);

/**
 * The symbol before or at an address of code, and how far before: NULL if there is none. `code`:
 * the guest's bytes there, `len` of them.
 */
const char *symbols_find(uint64_t va, uint64_t pa, const uint8_t *code, size_t len, uint64_t *off);

#endif
