/* A recording: everything that entered a run from outside, with its time; and playing it. */
#ifndef SIM_RECORDING_H
#define SIM_RECORDING_H

#include <stdbool.h>

#include "sim/err.h"

struct inlet;
struct playback;
struct recording;
struct sim;

/**
 * The file (all numbers little-endian):
 *
 *     "lanarium recording 1\n"
 *     lines "KEY VALUE\n" of the caller's: what the run was made from; then an empty line
 *     entries:  kind u8 | inlet u32 | at i64 (virtual ns) | len u32 | len bytes
 *
 * Entries of one inlet are in order. Among inlets, an entry may stand behind one that is later by
 * up to CONSOLE_DELAY, since they are written as windows are run. The last entry is INLET_END, with
 * a sentence on how the run ended; a file that was cut short lacks it, and is good up to its last
 * whole entry.
 */
#define RECORDING_MAGIC "lanarium recording 1\n"
#define RECORDING_ENTRY 17             /* bytes before an entry's own */
#define RECORDING_MAX_ENTRY (1u << 20) /* bytes; a longer one is not believed */
#define RECORDING_MAX_HEADER (1u << 20)

/**
 * Open a file for these header lines (each ends in \n). NULL with a sentence. What was in the file
 * stays until the run begins, or the recording ends.
 */
struct recording *recording_create(const char *path, const char *header, struct err *err);

/** The run begins: from now on it is written. The engine's; more than once is no harm. */
void recording_begin(struct recording *r);

/** There was no run: leave the file as it was. NULL is accepted. */
void recording_abandon(struct recording *r);

/** Append an entry; an error is kept for recording_close. */
void recording_note(struct recording *r, uint32_t inlet, uint8_t kind, vtime_t at, const void *p,
                    size_t len);

/** How the run ended, in words, for its last entry. */
void recording_ended(struct recording *r, const char *how);

/** End it with INLET_END at `at`. False with a sentence if anything could not be written. */
bool recording_close(struct recording *r, vtime_t at, struct err *err);

/** Open a file and read its header. NULL with a sentence if it is none. */
struct playback *playback_open(const char *path, struct err *err);

/** The header's lines, as they were given; lives as long as the playback. */
const char *playback_header(const struct playback *p);

/** When something must be played at a barrier next; VTIME_NEVER: nothing, ever. The engine's. */
vtime_t playback_next(const struct playback *p);

/**
 * Hand out everything due at sim->now, and what must be known ahead of it; the engine's, twice a
 * barrier: before its control events and, for inlets that these have made, after them (`settled`). At
 * the end of the recording it stops the run.
 */
void playback_play(struct playback *p, struct sim *s, bool settled);

/** An inlet is there: it gets the answers that have been read ahead for it. inlet_init's. */
void playback_greet(struct playback *p, struct inlet *in);

/** How the recorded run ended, in words; NULL if the recording has not been played to its end. */
const char *playback_end(const struct playback *p);

/**
 * False with sentences if the file was cut short or damaged, and from when on; or if the run did
 * not come to its end, or had no place for what was recorded.
 */
bool playback_complete(const struct playback *p, struct err *err);

/** The same at the end of all, and free it. NULL is accepted. */
bool playback_close(struct playback *p, struct err *err);

#endif
