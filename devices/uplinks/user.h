/* The user-mode stack: a port whose far side is libslirp, on virtual time. */
#ifndef DEVICES_USER_H
#define DEVICES_USER_H

#include "sim/err.h"
#include "sim/port.h"

struct sim;
struct uplink;

/** Strings are borrowed; NULL, 0 and false are the defaults. The names are QEMU's. */
struct user_options {
    const char *const *hostfwd; /* n_hostfwd: "tcp:127.0.0.1:8080-10.0.2.15:80"; user_rule.h */
    size_t n_hostfwd;
    const char *const *guestfwd; /* n_guestfwd: "tcp:10.0.2.100:80-tcp:127.0.0.1:8080" */
    size_t n_guestfwd;
    const char *const *dnssearch; /* n_dnssearch domains, told by DHCP */
    size_t n_dnssearch;
    const char *tftp;             /* directory served by TFTP, or NULL */
    const char *tftp_server_name; /* told by DHCP (option 66), or NULL */
    const char *bootfile;         /* BOOTP's file name, or NULL */
    const char *smb;              /* directory shared by SMB as \\10.0.2.4\qemu, or NULL */
    const char *smbserver;        /* that server's address; NULL: net + 4 */
    const char *net;              /* "10.0.2.0/24", ".../255.255.255.0"; NULL for that */
    const char *host;             /* router, TFTP server; NULL: net + 2 */
    const char *dns;              /* NULL: net + 3 */
    const char *dhcpstart;        /* NULL: net + 15 */
    const char *hostname;         /* given to DHCP clients, or NULL */
    const char *domainname;       /* likewise */
    const char *ipv6_net;         /* "fec0::", "fec0::/64"; NULL for that */
    unsigned ipv6_prefixlen;      /* 0: what ipv6_net says, or 64 */
    const char *ipv6_host;        /* NULL: ipv6_net + 2 */
    const char *ipv6_dns;         /* NULL: ipv6_net + 3 */
    bool ipv4_off;
    bool ipv6;
    bool restrict_host; /* nothing reaches the host or beyond but by redirections */
    const char *file;   /* where the topology says so, for errors */
    int line;
};

/** Check what can be checked without opening anything. Adds sentences to err. */
bool user_options_check(const struct user_options *o, struct err *err);

/**
 * Make a stack named `name`, with one port; it is plugged into a VLAN by uplink_attach, and ended
 * by uplink_destroy. NULL with a sentence if a redirection's port is taken, etc.
 *
 * Time: its own clock and timers are virtual. Only while it holds host sockets is it live
 * (actor.live): then the run follows the host's clock and what the sockets bring is stamped with
 * the barrier's time.
 */
struct uplink *user_create(struct sim *sim, const char *name, const struct user_options *o,
                           struct err *err);

/*
 * At barriers, on the main thread. `u` is a user-mode stack, or what stands in for it when a
 * recording is played: then what was answered is answered again, and nothing is opened.
 */

/**
 * Redirect a port, or a socket's path, of the host to a guest from now on. The host's port, which
 * matters where the rule says 0; 0 for a path; -1 with a sentence. `file` and `line`: where it was
 * asked for; NULL: nowhere.
 */
int user_hostfwd_add(struct uplink *u, const char *rule, const char *file, int line,
                     struct err *err);

/**
 * Stop doing so; connections that are there stay. `rule` is as it was added, or its part before
 * the "-": what QEMU's hostfwd_remove takes. False with a sentence if there is none.
 */
bool user_hostfwd_remove(struct uplink *u, const char *rule, const char *file, int line,
                         struct err *err);

/**
 * The redirections: for each its rule, a space, the host's port (0 for a path) and a newline. Heap,
 * the caller's.
 */
char *user_hostfwd_list(struct uplink *u);

/** What QEMU's `info usernet` shows: connections and redirections, as text. Heap, the caller's. */
char *user_info(struct uplink *u);

#endif
