/* QEMU's classic command line: what its files share. */
#ifndef TOPO_CLASSIC_H
#define TOPO_CLASSIC_H

#include "topo/command.h"

#define CLASSIC_MAX_VLAN 4095

/** A -netdev: an uplink or a hub port; those that name it are on a VLAN "net-ID" at first. */
struct classic_netdev {
    const char *id;
    struct topo_uplink *uplink; /* NULL: a hub port */
    struct topo_vlan *hub;
    const char *joins; /* a hub port's netdev=; NULL: none */
    const char *queues; /* what it says of them, for a card with mq=on; NULL: nothing */
    struct place place;
};

/** A card with mq=on: it has as many pairs of queues as its -netdev says. */
struct classic_multiqueue {
    struct topo_nic *nic;
    const char *netdev; /* NULL: none */
};

/** A filter-dump: what goes through a -netdev. */
struct classic_dump {
    struct topo_capture *capture;
    const char *netdev;
};

/** One guest being put together from options. */
struct classic {
    struct topo *t;
    struct run_options o;
    struct topo_guest *guest;
    struct place place; /* the option being read, as the file of its sentences */
    bool live;          /* the network runs already, and its topology is not ours */
    bool net_said;      /* some -net, -netdev or -device: no defaults then */
    bool serial_said;
    bool bootable; /* there is something to start */
    topo_strings redirections;
    LIST_OF(struct classic_netdev) netdevs;
    LIST_OF(struct classic_dump) dumps;
    LIST_OF(struct classic_multiqueue) multiqueue;
    const char *tftp, *bootp, *smb;
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

/* classic_hub.c */
/** Note a -netdev. */
void classic_netdev_note(struct classic *c, struct classic_netdev n);
/** -netdev hubport, taken apart. */
void classic_hubport(struct classic *c, const struct classic_list *l, const char *id);
void classic_object(struct classic *c);
/** After all options: hub ports join what names them to their hubs, dumps find their netdevs. */
void classic_hub_finish(struct classic *c);

/** The -netdev of an id; NULL if there is none. */
const struct classic_netdev *classic_netdev_find(const struct classic *c, const char *id);

/* classic_net.c */
void classic_net(struct classic *c);
void classic_netdev(struct classic *c);
/**
 * c->value, "user,id=NAME,vlan=VLAN,...", becomes an uplink that a running network (c->t) can be
 * given, named by its id. Sentences in c->t->err; NULL if there is nothing that could be made.
 */
struct topo_uplink *classic_netdev_add(struct classic *c);
void classic_device(struct classic *c);
void classic_redir(struct classic *c);
/** After all options: the defaults, and what -redir, -tftp, -bootp and -smb said. */
void classic_net_finish(struct classic *c);

/* classic_queues.c */
/** Take queues= out of a -netdev's list; NULL: it was not there. */
const char *classic_queues_take(struct classic *c, struct classic_list *l);
/** Note a card's mq=. */
void classic_queues_want(struct classic *c, struct topo_nic *n, const struct classic_list *l);
/** After all options: cards with mq=on have what their netdevs say. */
void classic_queues_finish(struct classic *c);

/* classic_stream.c: set what server, reconnect and addr.* say. */
void classic_stream(struct classic *c, struct topo_object *o, const struct classic_list *l);
/* classic_dgram.c: set what local.* and remote.* say. */
void classic_dgram(struct classic *c, struct topo_object *o, const struct classic_list *l);

#endif
