/* A capture's writer: a thread that puts records in order, encodes them and writes the file. */
#ifndef SIM_CAPTURE_WRITER_H
#define SIM_CAPTURE_WRITER_H

#include <pcap/pcap.h>
#include <pthread.h>
#include <stdio.h>

#include "sim/capture.h"
#include "sim/frame.h"
#include "sim/pcapng.h"

/** A frame that a tap saw. `lane` is the interface's number * 4 + enum tap_dir. */
struct capture_record {
    vtime_t at;
    struct frame *frame; /* a reference */
    uint32_t lane;
};

/** Whether a record comes before another in the file: by (at, lane); equal ones stay in order. */
static inline bool capture_before(const struct capture_record *a, const struct capture_record *b)
{
    return a->at != b->at ? a->at < b->at : a->lane < b->lane;
}

/** Memory for capture_sort: zero-initialise, free both at the end. */
struct capture_space {
    struct capture_record *records;
    uint32_t *runs;
    uint32_t cap_records, cap_runs;
};

/** Sort by capture_before, stable; records that are in order already cost a look each. */
void capture_sort(struct capture_record *records, uint32_t n, struct capture_space *space);

/** Records handed over at once, in any order; none handed over before or after comes between. */
struct capture_batch {
    struct capture_record *records;
    uint32_t n, cap;
    uint64_t weight; /* bytes that they keep from being freed */
    struct capture_batch *next;
};

struct capture_writer {
    const struct capture_options *options;
    FILE *file;
    char *filter;
    struct bpf_program program;
    struct bytes out;
    uint32_t n_ifaces, cap_written;
    uint64_t *written;      /* by interface */
    struct capture_space space;
    const struct capture_record *writing;
    char comment[256];
    uint64_t n_packets;
    _Atomic uint64_t packets; /* n_packets at the end of the last batch */
    _Atomic int error;        /* errno of the first failed write */

    bool started;
    pthread_t thread;
    pthread_mutex_t lock; /* protects what follows */
    pthread_cond_t wake, room;
    struct capture_batch *first, **last;
    struct capture_batch *spare; /* a few, empty, to be used again */
    uint32_t n_spare;
    uint64_t queued; /* weight of all batches that wait or are being written */
    bool closing;
};

/** Open the file and begin its head. `options` live as long as the writer; `path` names it. */
bool capture_writer_open(struct capture_writer *w, const struct capture_options *options,
                         const char *path, struct err *err);

/** The next interface; before the first batch only. */
void capture_writer_interface(struct capture_writer *w, const char *name, const char *what);

/** An empty batch with room for `n` records. */
struct capture_batch *capture_writer_batch(struct capture_writer *w, uint32_t n);

/** Take a batch. Waits while too much is queued. */
void capture_writer_give(struct capture_writer *w, struct capture_batch *b);

/** Write what is queued and end the thread; the file is complete but for its statistics. */
void capture_writer_stop(struct capture_writer *w);

/** After stop: how many packets an interface saw, as the file's end tells (pcapng only). */
void capture_writer_statistics(struct capture_writer *w, uint32_t iface, vtime_t until,
                               uint64_t seen);

/** Close the file and free everything; the writer's error, or 0. */
int capture_writer_close(struct capture_writer *w);

#endif
