/* Addresses of sockets as a user writes them: TCP and UDP, unix and abstract ones. */
#ifndef UPLINKS_ADDRESS_H
#define UPLINKS_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

enum address_kind { ADDRESS_INET, ADDRESS_UNIX, ADDRESS_ABSTRACT };

/**
 * What was written:
 *
 *     127.0.0.1:1234  [::1]:1234  a-host:1234     inet
 *     :1234                                       inet, no host
 *     unix:/path                                  unix
 *     abstract:NAME                               abstract: Linux's sockets that are in no folder
 *
 * Zero-initialise it; address_finish frees it.
 */
struct address {
    enum address_kind kind;
    char *host;          /* inet: without brackets; NULL: none was written */
    unsigned short port; /* inet */
    char *path;          /* unix: a path; abstract: a name */
};

/** Read one. NULL, or what is wrong with it, for a sentence: "port 70000 is outside 0..65535". */
const char *address_parse(struct address *a, const char *text);
void address_finish(struct address *a);

/** One as the kernel takes it. */
struct sockaddr_any {
    struct sockaddr_storage to;
    socklen_t len;
};

#define ADDRESS_MAX 8 /* of one name's, those that are tried */

struct address_list {
    struct sockaddr_any items[ADDRESS_MAX];
    unsigned n;
};

/**
 * Look it up; a host's name may have several. Blocks while it asks, so: before the run.
 *
 * @type     SOCK_STREAM or SOCK_DGRAM
 * @passive  to be bound: without a host, every address of this machine; otherwise this machine
 *
 * NULL with at least one in the list, or what is wrong, for a sentence.
 */
const char *address_resolve(const struct address *a, int type, bool passive,
                            struct address_list *l);

/** As it would be written; the caller frees it. */
char *address_format(const struct sockaddr_any *s);
/** Likewise: where a socket is bound; and whom it is connected to. */
char *address_of_socket(int fd);
char *address_of_peer(int fd);

/** Whether only this machine can reach it: loopback, unix. */
bool address_is_local(const struct sockaddr_any *s);

/**
 * Bind a socket. A unix socket's file that nobody listens on any more is replaced; one that
 * is in use, or is no socket, is left. 0, or -1 with errno.
 */
int address_bind(int fd, const struct sockaddr_any *s);

/**
 * Remove a unix socket's file that is left over: nobody has a socket of this type bound to it.
 * Whether there was one.
 */
bool address_remove_stale(const struct sockaddr_un *un, socklen_t len, int type);

/** Remove a unix socket's file, if `s` has one. */
void address_unlink(const struct sockaddr_any *s);

#endif
