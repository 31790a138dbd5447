/* Finding the line on which a table's attribute is written. */
#ifndef TOPO_LOCATE_H
#define TOPO_LOCATE_H

#include "topo/topo.h"

/**
 * The place of `NAME =` in the table that opens at or after `from`, which is the line of the
 * call the table belongs to; `from` itself if the attribute is not written there (the table
 * was made elsewhere).
 */
struct place locate_attr(const struct topo *t, struct place from, const char *name);

#endif
