/* SHA-256 of files, and of what a topology describes. */
#ifndef TOPO_DIGEST_H
#define TOPO_DIGEST_H

#include "topo/schema.h"

#define DIGEST_TEXT 65 /* bytes of one in hexadecimal digits, with the zero */

/** Of a file's bytes. False, with why in `problem`, if it cannot be read. */
bool digest_file(const char *path, char text[DIGEST_TEXT], const char **problem);

/** Whether an attribute is, or leads to, what nobody else may know; nothing of it is written. */
bool digest_is_secret(const struct attr *a);

/**
 * Of the description as a whole, when it has been checked: objects, how they hang together, and
 * their attributes. It leaves out where files are, what is secret, and the date.
 */
void digest_topo(const struct topo *t, char text[DIGEST_TEXT]);

#endif
