/* Files as pages: each is read once, and shared by all guests that load it. */
#ifndef GUESTS_BLOB_H
#define GUESTS_BLOB_H

#include <stdbool.h>

#include "guests/ram.h"
#include "sim/err.h"

/** No file or unpacked image is larger. */
#define BLOB_MAX (1ULL << 30)

/**
 * The contents of a file, from the cache if another guest holds them (the file's identity,
 * size and time of change decide). A reference, to be given up with blob_put. NULL with one
 * sentence, "WHAT PATH: why", in err. Safe on any thread.
 */
struct blob *blob_get(const char *what, const char *path, struct err *err);

/** Bytes as a blob of their own, not in the cache; `name` is copied. */
struct blob *blob_from_bytes(const char *name, const void *bytes, size_t len);

struct blob *blob_ref(struct blob *b);

/** Give up a reference; the last frees it, and what was unpacked from it. NULL is accepted. */
void blob_put(struct blob *b);

/** Copy bytes out; false, with nothing done, if any of them lies beyond the end. */
bool blob_read(const struct blob *b, uint64_t offset, void *buf, uint64_t len);

/** The bytes from `offset` to the end of their page, and how many; 0 at the end. */
size_t blob_span(const struct blob *b, uint64_t offset, const uint8_t **p);

/**
 * Put all of it into RAM at a page's start, sharing every page: the padding of the last one
 * too, so nothing else may lie in that. It fits: the caller has checked.
 */
void blob_map(const struct blob *b, struct ram *ram, uint64_t addr);

/** Where a growing blob's bytes go. */
struct blob_writer {
    struct blob *blob;
    uint64_t max; /* bytes; more is refused */
};

/** A new blob to write, of at most `max` bytes. */
void blob_writer_init(struct blob_writer *w, const char *name, uint64_t max);
/** Append; false if it would exceed the maximum. */
bool blob_writer_add(struct blob_writer *w, const void *p, size_t len);
/** The finished blob: the writer's reference becomes the caller's. */
struct blob *blob_writer_end(struct blob_writer *w);

/** What was made from this blob before (unpacked): a new reference, or NULL. */
struct blob *blob_derived(struct blob *b);

/**
 * Remember what was made from it, for as long as it lives. `made` is taken; returned is the
 * one to use, a new reference: another thread may have been first.
 */
struct blob *blob_derive(struct blob *b, struct blob *made);

#endif
