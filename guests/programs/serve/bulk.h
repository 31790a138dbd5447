/* What `send` sends over UDP and the sink counts: datagrams that begin with this. */
#ifndef PROGRAMS_SERVE_BULK_H
#define PROGRAMS_SERVE_BULK_H

#include <stdint.h>

enum { BULK_PORT = 5001, BULK_DATAGRAM = 1400, BULK_LAST = 1 };

/* All big-endian. The last datagram carries nothing else, and is sent three times. */
struct bulk_header {
    uint32_t id;     /* of the transfer */
    uint32_t number; /* of the datagram, from 0; in the last: how many there were */
    uint32_t flags;  /* BULK_LAST */
};

#endif
