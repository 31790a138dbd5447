/* A stream link whose peers are sockets of the test, and what both kinds of its tests need. */
#ifndef TESTS_UPLINKS_STREAM_RIG_H
#define TESTS_UPLINKS_STREAM_RIG_H

#include "devices/uplinks/stream.h"
#include "tests/uplinks/peer.h"

extern struct peer_rig r;

/** Options with the place that sentences name. */
#define STREAM_OPTIONS(...)                                                                        \
    &(struct stream_options)                                                                       \
    {                                                                                              \
        .file = "net.lua", .line = 3, __VA_ARGS__                                                  \
    }

/** A network with this link; fails the test with its sentences if it cannot be made. */
void stream_start(const struct stream_options *o);
/** Likewise for a link that listens on a TCP port of the kernel's choice. */
void stream_start_listening(void);

/** One more link in the same network, on a VLAN of its own. The caller destroys it. */
struct uplink *stream_start_another(const struct stream_options *o, struct vlan *v);

/** The one sentence with which it is refused. */
void stream_refused(const struct stream_options *o, const char *sentence);

/** Where a link listens, in a buffer of its own until the next call. */
const char *stream_where(struct uplink *u);

/** A socket connected to the link. */
int stream_connect(void);
/** One that listens on loopback; *address is "127.0.0.1:PORT", in a buffer of its own. */
int stream_listen(const char **address);
/** The next peer that comes there; the link runs meanwhile. */
int stream_accept(int listener);

/** Paths for a unix socket of this process; the file is removed if it is there. */
extern char stream_path[80], stream_unix_address[90];
void stream_choose_path(void);
/** A socket connected to whoever listens there. */
int stream_connect_unix(void);

/** The talker sends a frame to everyone, as soon as it can. */
void stream_talk(uint32_t len, uint8_t mark);

unsigned stream_count_ports(const struct uplink *u);
bool stream_has_no_port(void);

/** Run until a condition holds, 3 s at most; whether it does. */
bool stream_until(bool (*condition)(void));
bool stream_until_peers(unsigned n);

/** All of it; the link runs while the socket takes no more. */
void stream_write(int fd, const void *bytes, size_t len);
/** A frame to everyone, of peer_frame's bytes. */
void stream_write_frame(int fd, uint32_t len, uint8_t mark);
/** The next frame, while the link runs: its length; 0 at the end of the stream, -1: none came. */
int stream_read_frame(int fd, uint8_t to[70000]);
/** Whether the other end has closed; the link runs meanwhile. */
bool stream_closed(int fd);

/** Its description holds this. */
void stream_described(struct uplink *u, const char *part);

/** Descriptors open in this process. */
unsigned stream_count_fds(void);

#endif
