/* Images: the names that stand for kernels and firmware, and where their files are. */
#ifndef TOPO_IMAGES_H
#define TOPO_IMAGES_H

#include "topo/topo.h"

struct image {
    const char *name;
    const char *help;
    const char *kernel, *initrd; /* file names, see image_file */
    const char *cmdline;         /* a file whose first line is the kernel command line, or NULL */
    const char *append;          /* added to that; "%s" is the guest's name; NULL: nothing */
    const char *memory;          /* as a topology would say it */
    const char *prompt;          /* what its shell prints; "%s" likewise */
    const char *clone;           /* appended for one that is cloned, or NULL; "=wait" is added if it
                                    shall wait at the point, where it prints clone_at */
    const char *clone_at;
    const char *fetch;           /* the name for `lanarium image`; NULL: it comes with Lanarium */
};

/** End in a row whose name is NULL. */
extern const struct image images[];

const struct image *image_find(const char *name);

/**
 * Fill in what a guest leaves to its image: kernel, initrd, command line, memory, prompt; and
 * find the firmware. False, with a sentence in t->err, if a file is not there.
 */
bool image_resolve(struct topo *t, struct topo_guest *g);

/** The folder where `lanarium image` keeps what it fetched; the caller frees it. */
char *image_cache(void);

/** The folder of the running program, and the path of a script that belongs to it; freed likewise.
 */
char *program_folder(void);
char *program_script(const char *in_tree, const char *installed);

#endif
