/* A port of a VDE switch, through libvdeplug. */
#ifndef UPLINKS_VDE_H
#define UPLINKS_VDE_H

#include "devices/uplinks/uplink.h"
#include "sim/err.h"

struct vde_options {
    const char *sock;  /* the switch's folder, "/tmp/vde.ctl"; NULL: the library's default */
    unsigned port;     /* of the switch; 0: any */
    const char *group; /* whom the port's socket belongs to; NULL: as it is */
    unsigned mode;     /* its permissions, 0..0777 */
    const char *file;
    int line;
};

/**
 * Make one, live, with one port that has its carrier. NULL with a sentence if there is no switch,
 * or if it does not answer within VDE_PATIENCE_MS.
 *
 * When the switch goes, the carrier does; it is tried again and again, more and more rarely.
 */
struct uplink *vde_create(struct sim *s, const char *name, const struct vde_options *o,
                          struct err *err);

#define VDE_PATIENCE_MS 3000

#endif
