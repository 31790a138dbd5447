/* The part of <stdlib.h> (C11 7.22) that lwIP's headers ask for. */
#ifndef PROGRAMS_LIBC_STDLIB_H
#define PROGRAMS_LIBC_STDLIB_H

#include <stddef.h>

int atoi(const char *s);

#endif
