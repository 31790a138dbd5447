/* A stream link's options, parsed: whom, how often again, and with which secret. */
#ifndef UPLINKS_STREAM_OPTIONS_H
#define UPLINKS_STREAM_OPTIONS_H

#include "devices/uplinks/address.h"
#include "devices/uplinks/stream.h"

enum stream_role { STREAM_LISTENS, STREAM_CONNECTS, STREAM_INHERITS };

struct stream_plan {
    enum stream_role role;
    struct address address; /* unless it inherits */
    int64_t again_ms;       /* as dialer_create takes it */
    char *secret;           /* NULL: none */
    size_t secret_len;
};

/** Parse and check all options; false with sentences in err. stream_plan_finish frees either way.
 */
bool stream_plan_make(struct stream_plan *p, const struct stream_options *o, struct err *err);
void stream_plan_finish(struct stream_plan *p);

#endif
