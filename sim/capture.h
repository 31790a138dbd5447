/* Capture: frames seen by taps, written as pcapng or pcap with virtual time, in background. */
#ifndef SIM_CAPTURE_H
#define SIM_CAPTURE_H

#include <stdbool.h>

#include "sim/err.h"
#include "sim/tap.h"

struct capture;
struct port;
struct sim;
struct vlan;

enum capture_format { CAPTURE_PCAPNG, CAPTURE_PCAP };

struct capture_options {
    const char *path;            /* "-": standard output */
    enum capture_format format;  /* pcap: nanosecond magic, no comments, one link type */
    const char *filter;          /* a libpcap expression, or NULL */
    bool origin;                 /* write the sender's guest, pc and instruction count as comment */
    uint32_t snaplen;            /* bytes kept of a packet; 0: all */
    int64_t epoch_ns;            /* what virtual time 0 is in the file, ns since 1970 */
    uint64_t *packets;           /* where capture_close leaves how many were written, or NULL */
};

/**
 * Open a capture file; its writer thread starts with the first packet.
 * NULL with a sentence in `err` if the file cannot be made or the filter does not compile.
 */
struct capture *capture_open(struct sim *s, const struct capture_options *o, struct err *err);

/**
 * Add a capture point, in a deterministic order: it becomes the file's next interface. At the barrier
 * at which the capture was opened only. A list of taps must outlive the capture, or be taken back by
 * captures_forget.
 */
void capture_add_vlan(struct capture *c, struct vlan *v);
void capture_add_taps(struct capture *c, struct tap **taps, const char *name, const char *what);
void capture_add_port(struct capture *c, struct port *p);

/** A list of taps is about to go, at a barrier: no capture sees it any more. */
void captures_forget(struct sim *s, struct tap **taps);

/**
 * Hand records older than `safe` to the writer, in order of (time, interface, arrival); the
 * engine's, at each barrier. Never blocks for longer than the bounded buffer makes it.
 */
void capture_barrier(struct capture *c, vtime_t safe);

/** Make what was handed over reach the file (a person asked, or host time has passed). */
void capture_flush(struct capture *c);

/** Packets written or queued so far, and the next capture in the engine's list. */
uint64_t capture_packets(const struct capture *c);
const char *capture_path(const struct capture *c);
struct capture *capture_next(struct capture *c);

/** Whether writing has failed (disk full, reader gone); the sentence was or will be in close's err. */
bool capture_failed(const struct capture *c);

/**
 * Call before the VLANs, ports and actors it saw are gone: frames name the guests they come from.
 * Write what is left up to and including `until`, close the file, free everything.
 * False, with a sentence in `err`, if anything could not be written.
 */
bool capture_close(struct capture *c, vtime_t until, struct err *err);

#endif
