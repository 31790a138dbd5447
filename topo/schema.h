/* Schemas: each object's attributes as a table, for checking, help and the manual. */
#ifndef TOPO_SCHEMA_H
#define TOPO_SCHEMA_H

#include "topo/topo.h"

enum attr_type {
    ATTR_STRING, /* const char * */
    ATTR_FILE,   /* const char *: a path, resolved; the file must be there */
    ATTR_FOLDER, /* likewise, a directory */
    ATTR_BOOL,   /* bool */
    ATTR_INT,    /* uint64_t */
    ATTR_TIME,   /* vtime_t */
    ATTR_RATE,   /* uint64_t, bits per second; "unlimited" is 0 */
    ATTR_SIZE,   /* uint64_t, bytes */
    ATTR_FACTOR, /* uint64_t, billionths; "max" is 0 */
    ATTR_MAC,    /* uint8_t[6] */
    ATTR_CHOICE, /* int: index into choices */
    ATTR_LIST,   /* topo_strings; each setting adds one */
    ATTR_GUEST,  /* struct topo_guest *: declared before, by name or handle */
    ATTR_FD,     /* const char *: an open descriptor's number, or its name */
    ATTR_PATTERN, /* const char *: a Lua pattern, which the script has checked */
};

struct attr {
    const char *name;
    enum attr_type type;
    size_t offset;      /* in the object's struct */
    const char *preset; /* the default as it would be written; "(words)": there is none to parse */
    uint64_t min, max;  /* of numbers; max 0: no limits */
    const char *const *choices; /* ends in NULL */
    const char *help;           /* one line */
};

struct schema {
    const char *name;     /* "vlan" */
    const char *synopsis; /* vlan "NAME" { ... } */
    const char *help;     /* a sentence or two */
    const char *items;    /* what may stand in the table without a name; NULL: nothing */
    size_t size;          /* of the object's struct */
    const struct attr *attrs;
    size_t n_attrs;
};

/* For tables of attributes. */
#define SCHEMA_AT(type, member) offsetof(struct type, member)
#define SCHEMA_ATTRS(table) table, ARRAY_LEN(table)

/** The line between an object and its VLAN, said once for all that have one. */
#define SCHEMA_LINK(type, delay_preset, rate_preset, queue_preset)                                  \
    {"delay",                                                                                      \
     ATTR_TIME,                                                                                    \
     SCHEMA_AT(type, link.delay_ns),                                                                      \
     delay_preset,                                                                                 \
     LINK_MIN_DELAY,                                                                               \
     3600 * (uint64_t)NS_PER_SEC,                                                                  \
     NULL,                                                                                         \
     "propagation delay of the link, each way"},                                                   \
        {"rate",                                                                                   \
         ATTR_RATE,                                                                                \
         SCHEMA_AT(type, link.rate_bps),                                                                  \
         rate_preset,                                                                              \
         0,                                                                                        \
         0,                                                                                        \
         NULL,                                                                                     \
         "bits per second of the link, each way"},                                                 \
    {                                                                                              \
        "queue", ATTR_SIZE, SCHEMA_AT(type, link.queue_bytes), queue_preset, 64, 1ULL << 30, NULL,               \
            "bytes that may wait for the link in each direction; more is dropped"                  \
    }

/** By enum topo_kind. */
extern const struct schema *const schemas[TOPO_KINDS];

/** By name; NULL if there is none. */
const struct schema *schema_find(const char *name);

const struct attr *schema_attr(const struct schema *s, const char *name);

/** Give every attribute its default. */
void schema_preset(struct topo *t, struct topo_object *o);

/**
 * Set an attribute from text, as a script or a command line has it; `text` need not live on.
 * False, with a sentence in t->err at `place`, if there is no such attribute or it cannot
 * have that value.
 */
bool schema_set(struct topo *t, struct topo_object *o, const char *name, const char *text,
                struct place place);

/** Whether an attribute was said. */
bool schema_given(const struct topo_object *o, const char *name);

/** The name in a list (of n, each `stride` bytes from the next) that is nearest; NULL: none is
 * near. */
const char *nearest_name(const char *word, const void *first, size_t n, size_t stride);

/** What a value of a type is: "a time such as \"20us\"". */
const char *attr_type_text(enum attr_type type);

/** What `lanarium help vlan` prints, and the same as part of a manual page (mdoc). */
void schema_help(const struct schema *s, FILE *to);
void schema_mdoc(const struct schema *s, FILE *to);

#endif
