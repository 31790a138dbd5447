/* What a run is made from: the header of its recording, which nothing else may be replayed with. */
#ifndef TOPO_MADE_FROM_H
#define TOPO_MADE_FROM_H

#include "topo/digest.h"

/** A file that a run was made from. */
struct made_file {
    char *path;
    char digest[DIGEST_TEXT];
    bool script;
};

/**
 * The lines of the header, in this order; words and paths have every byte that is not a printable
 * ASCII character, the space and '%' as %XX:
 *
 *     program VERSION        what recorded it, for people
 *     folder PATH            where it was started, for people
 *     command run | classic
 *     arg WORD               each of them, the command's name or the program's first
 *     seed N
 *     epoch N                the date at virtual time 0, ns since 1970
 *     script SHA256 PATH     each script that was read
 *     file SHA256 PATH       kernels, RAM disks, firmware, disks as they were at the start...
 *     topology SHA256        digest_topo
 */
struct made_from {
    bool classic; /* by QEMU's options, not by a script */
    LIST_OF(char *) args;
    uint64_t seed;
    int64_t epoch_ns;
    LIST_OF(struct made_file) files;
    char topology[DIGEST_TEXT];
    char *folder, *program;
};

/** Words of a command line, of which the first is argv[0]. A secret is not written. */
struct invocation {
    bool classic;
    topo_strings words; /* copies; owned */
};

/** Keep the words of a command line, before they are read. */
void invocation_keep(struct invocation *v, bool classic, int argc, char **argv);
void invocation_finish(struct invocation *v);

/**
 * The header of a recording of this topology, which has been checked. NULL, with sentences, if a
 * file cannot be read. On the heap.
 */
char *made_from_text(const struct topo *t, const struct invocation *v, struct err *err);

/** Read a header; false, with a sentence about `path`, if it is none. made_from_finish either way.
 */
bool made_from_read(struct made_from *m, const char *text, const char *path, struct err *err);
void made_from_finish(struct made_from *m);

/** Whether the scripts are those that were recorded; if not, what of all files is not. */
bool made_from_scripts_good(const struct made_from *m, struct err *err);

/** Whether the topology is the one that was recorded; sentences if not. Sets its date. */
bool made_from_matches(const struct made_from *m, struct topo *t, struct err *err);

#endif
