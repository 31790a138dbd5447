/* Drawing a topology as a Graphviz graph. */
#ifndef TOPO_DRAW_H
#define TOPO_DRAW_H

#include "topo/topo.h"

void draw_dot(const struct topo *t, FILE *to);

#endif
