/* The words of -net and -netdev: what each becomes, and its names for our attributes. */
#ifndef TOPO_CLASSIC_WORDS_H
#define TOPO_CLASSIC_WORDS_H

#include "topo/classic.h"

/** QEMU's name for an attribute, and ours; NULL: accepted and without effect here. Ends in NULL. */
struct rename {
    const char *theirs, *ours;
};

struct uplink_word {
    const char *word;
    enum topo_kind kind;
    const struct rename *names;
    bool (*is)(const struct classic_list *l); /* of several with one word; NULL: always */
    /** What takes more than renaming, and defaults that only QEMU has; NULL: nothing. */
    void (*compose)(struct classic *c, struct topo_object *o, const struct classic_list *l);
};

/** The row for a list's word; NULL if there is none. */
const struct uplink_word *uplink_word_find(const struct classic_list *l);

/** "user, socket, stream...": all words, into `text`, which is returned. */
const char *uplink_words_text(char *text, size_t size);

#endif
