/* A tap: someone who watches a VLAN's or a port's frames without being part of it. */
#ifndef SIM_TAP_H
#define SIM_TAP_H

#include "sim/base.h"

struct frame;
struct port;

enum tap_dir {
    TAP_VLAN, /* the frame passed through a VLAN; `port` is where it came from */
    TAP_OUT,  /* the port sent it into its link */
    TAP_IN,   /* the port's link delivered it to the port */
};

/**
 * Called at barriers only, on the main thread. Times of one tap on a VLAN do not decrease;
 * those on ports may by up to a window (arrivals are known before they happen).
 * The frame is borrowed, immutable, and may carry offload requests (sim/offload.h).
 */
struct tap {
    void (*seen)(struct tap *t, vtime_t at, struct port *port, enum tap_dir dir, struct frame *f);
    struct tap *next;
};

void tap_add(struct tap **list, struct tap *t);
void tap_remove(struct tap **list, struct tap *t);
void taps_show(struct tap *list, vtime_t at, struct port *port, enum tap_dir dir,
               struct frame *f);

#endif
