/* The description of a network: what a script or a command line asks for, before it is built. */
#ifndef TOPO_TOPO_H
#define TOPO_TOPO_H

#include "sim/err.h"
#include "sim/frame.h"
#include "sim/port.h"
#include "topo/strmap.h"

struct capture;
struct machine;
struct patch;
struct port;
struct schema;
struct uplink;
struct vlan;

/** A growable array of anything; zero-initialise it, free(items) at the end. */
#define LIST_OF(type)                                                                              \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t n, cap;                                                                             \
    }

#define list_push(l, value)                                                                        \
    do {                                                                                           \
        if ((l)->n == (l)->cap) {                                                                  \
            (l)->cap = (l)->cap ? (l)->cap * 2 : 4;                                                \
            (l)->items = xrealloc((l)->items, (l)->cap * sizeof(*(l)->items));                     \
        }                                                                                          \
        (l)->items[(l)->n++] = (value);                                                            \
    } while (0)

/** Where something is said. `file` is interned in the topology; NULL: typed at the prompt. */
struct place {
    const char *file;
    int line;
};

enum topo_kind {
    TOPO_VLAN,
    TOPO_GUEST,
    TOPO_NIC,
    TOPO_DISK,
    TOPO_CAPTURE,
    TOPO_PATCH,
    TOPO_USER, /* uplinks: see topo/uplinks/ */
    TOPO_PCAP,
    TOPO_DGRAM,
    TOPO_L2TPV3,
    TOPO_VDE,
    TOPO_STREAM,
    TOPO_TAP,
    TOPO_KINDS
};

/** What all objects have in common; their first member. Strings are interned. */
struct topo_object {
    enum topo_kind kind;
    struct place place;
    const char *name; /* NULL: an object without one */
    uint64_t given;   /* bit n: the schema's attribute n was said, not left to its default */
    bool described;   /* its table of attributes has been read */
    bool removed;     /* while the network ran: it is not there any more */
    int script_ref;   /* its handle in the script's registry; 0: none yet */
};

typedef LIST_OF(const char *) topo_strings;
typedef LIST_OF(struct topo_object *) topo_objects;

struct topo_vlan {
    struct topo_object object;
    int kind; /* enum vlan_kind */
    struct link link;
    vtime_t ageing_ns;
    size_t n_members; /* NICs, uplinks and patches on it, for the checks and the drawing */
    struct topo_vlan *joined; /* another one that patches join to it, for the checks */
    struct vlan *built;
};

struct topo_nic {
    struct topo_object object; /* name: "eth0" */
    struct topo_guest *guest;  /* NULL: in no guest yet */
    struct topo_vlan *vlan;    /* NULL: on none */
    const char *model;
    uint8_t mac[ETH_ALEN];
    struct link link;
    bool legacy, offload, mrg_rxbuf, up;
    uint64_t queue_size, queues, mtu, addr, vectors, iobase, irq;
    struct port *port; /* once built */
};

struct topo_disk {
    struct topo_object object;
    struct topo_guest *guest;
    const char *path;
    bool writable;
};

struct topo_guest {
    struct topo_object object;
    struct topo_guest *clone; /* of whom; NULL: it starts by itself */
    const char *at;           /* what that one prints when it is cloned: a Lua pattern */
    bool at_plain;            /* no pattern but the text itself */
    bool clone_waits;         /* an original that waits at its image's own point */
    uint32_t number, n_clones; /* among its original's clones, from 1; how many it has */
    const char *image, *kernel, *initrd, *append, *bios, *dtb, *prompt;
    int board;
    uint64_t memory, harts, mips;
    bool legacy, virtio_console, reboot;
    topo_objects nics, disks;
    struct machine *machine; /* once built */
    struct transcript *transcript;
};

/** What all uplinks have; the first member of each kind's struct. */
struct topo_uplink {
    struct topo_object object;
    struct topo_vlan *vlan;
    struct link link;
    struct uplink *built;
};

/** A cable between two VLANs. */
struct topo_patch {
    struct topo_object object;
    struct topo_vlan *vlans[2];
    struct link link;     /* as it was said: of both ends */
    struct link links[2]; /* of each end, once checked */
    struct patch *built;
};

struct topo_capture {
    struct topo_object object; /* name: the path */
    topo_objects points;       /* VLANs, guests, NICs, uplinks, patches; none: every VLAN */
    int format;                /* enum capture_format + 1; 0: by the file's name */
    const char *filter;
    bool origin;
    uint64_t snaplen;
    struct capture *open; /* once built */
    uint64_t packets;     /* once closed */
};

struct topo_test {
    struct place place;
    const char *name;
    int function; /* in the script's registry */
};

/** A source file, kept so that an error can name an attribute's own line. */
struct topo_source {
    const char *file;
    char *text;
};

struct topo {
    const char *title;    /* the script's path, as it was given */
    topo_objects objects; /* all, in order of declaration; owned */
    topo_objects vlans, guests, uplinks, patches, captures;
    LIST_OF(struct topo_test) tests;
    LIST_OF(struct topo_source) sources;
    struct strmap names;   /* VLANs, guests, uplinks and patches share one space of names */
    struct strmap strings; /* interned; owned */
    struct strmap missing; /* images' files that were complained of */
    uint64_t seed;
    bool seed_fixed; /* by the command line: a script's seed() does not change it */
    vtime_t limit;   /* VTIME_NEVER: none */
    struct place limit_place;
    int64_t epoch_ns; /* the date at virtual time 0 */
    struct err err;   /* everything that is wrong with it */
};

/** The date at virtual time 0 unless it is said: 2025-01-01T00:00:00Z. */
#define TOPO_DEFAULT_EPOCH (1735689600LL * NS_PER_SEC)
#define TOPO_MAX_NAME 63

void topo_init(struct topo *t, const char *title);
void topo_finish(struct topo *t);

/** The topology's own copy of a string, one for all equal ones. NULL gives NULL. */
const char *topo_intern(struct topo *t, const char *s);

/**
 * Add an object with its schema's defaults. A name that is not one, or is taken, adds a
 * sentence to t->err; the object is made all the same, so that the script can go on.
 * NICs, disks and captures have no place in the space of names.
 */
struct topo_object *topo_add(struct topo *t, enum topo_kind kind, const char *name,
                             struct place place);

/** An uplink or a capture is there no more: its name is free. It stays in t->objects. */
void topo_remove(struct topo *t, struct topo_object *o);

/** Put a NIC or a disk into a guest; NICs without a name become eth0, eth1... */
void topo_guest_take(struct topo *t, struct topo_guest *g, struct topo_object *part);

/** Put a NIC on a VLAN. */
void topo_nic_join(struct topo_nic *n, struct topo_vlan *v);

/** "lan.lua:4", for sentences; in buf, which is returned. */
const char *topo_place_text(struct place p, char *buf, size_t size);

/** "vlan lan", "nic", for sentences; in buf, which is returned. */
const char *topo_label(const struct topo_object *o, char *buf, size_t size);

/** Whether a file is there to be read, in `problem` why not ("there is no such file"). */
bool topo_readable(const char *path, bool folder, const char **problem);

/** A path as the place's file means it: relative to that file's folder (line 0: to ours). Interned.
 */
const char *topo_path(struct topo *t, struct place place, const char *path);

/** A date "2025-01-01", "2025-01-01 12:00:00" or with a T between, UTC, as ns since 1970. */
bool topo_date(const char *text, int64_t *ns);

/**
 * Check all that can only be checked together, resolve images, give NICs their addresses.
 * False, with sentences in t->err, if anything (now or before) was wrong.
 */
bool topo_check(struct topo *t);

/** The links of patches, and that they make no circle (patches.c). Sentences in t->err. */
void topo_check_patches(struct topo *t);

/** The same for an uplink or a capture that was added to a network that has been checked. */
bool topo_check_late(struct topo *t, struct topo_object *o);

/** What was not said of a link is as the VLAN has it; NULL: the engine's defaults. */
void topo_link_inherit(const struct topo_object *o, struct link *link, const struct topo_vlan *v);

/**
 * A clone gets what its table leaves to its original: parts when the table has been read (inherit.c),
 * attributes when all is declared. Sentences in t->err where it wants to differ.
 */
void topo_inherit_parts(struct topo *t, struct topo_guest *g);
void topo_inherit(struct topo *t);

/** When its original has been resolved: at, unless it was said. */
void topo_clone_point(struct topo *t, struct topo_guest *g);

/** Print t->err; of what one line has done wrong many times, in a loop, the first few. */
void topo_print_errors(const struct topo *t);

/** The sentences of t->err, each on a line of its own, and none left there. Heap; NULL: none. */
char *topo_take_errors(struct topo *t);

#endif
