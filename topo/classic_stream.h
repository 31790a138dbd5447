/* QEMU's -netdev stream: its address in parts becomes one of ours. */
#ifndef TOPO_CLASSIC_STREAM_H
#define TOPO_CLASSIC_STREAM_H

#include "topo/classic.h"

/**
 * Rewrite a list: server= and addr.* become listen=, connect= or fd=, and seconds a time. What is
 * missing is a sentence.
 */
void classic_stream(struct classic *c, struct classic_list *l);

#endif
