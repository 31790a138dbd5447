/* QEMU's classic command line: what its files share. */
#ifndef TOPO_CLASSIC_H
#define TOPO_CLASSIC_H

#include "topo/command.h"

#define CLASSIC_MAX_VLAN 4095

/** One guest being put together from options. */
struct classic {
    struct topo t;
    struct run_options o;
    struct topo_guest *guest;
    struct place place; /* the option being read, as the file of its sentences */
    bool net_said;      /* some -net, -netdev or -device: no defaults then */
    bool serial_said;
    bool bootable; /* there is something to start */
    topo_strings redirections;
    const char *tftp, *bootp;
    const char *word, *value; /* the option being read */
};

/** "user,vlan=1,hostfwd=a,hostfwd=b" taken apart: a word, then names with values. */
struct classic_list {
    char *text; /* owned; what the others point into */
    const char *word;
    struct {
        const char *name, *value; /* value "" if there was no "=" */
    } items[64];
    size_t n;
};

/** Complain about the option being read. */
void classic_error(struct classic *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** Take a list apart; ",," is a comma in a value. False, with a sentence, if it is too long. */
bool classic_split(struct classic *c, struct classic_list *l, const char *text);
/** The last value of a name, or NULL. */
const char *classic_get(const struct classic_list *l, const char *name);

/* classic_net.c */
void classic_net(struct classic *c);
void classic_netdev(struct classic *c);
void classic_device(struct classic *c);
void classic_redir(struct classic *c);
/** After all options: the defaults, and what -redir, -tftp and -bootp said. */
void classic_net_finish(struct classic *c);

/* classic_stream.c: set what server, reconnect and addr.* say. */
void classic_stream(struct classic *c, struct topo_object *o, const struct classic_list *l);
/* classic_dgram.c: set what local.* and remote.* say. */
void classic_dgram(struct classic *c, struct topo_object *o, const struct classic_list *l);

#endif
