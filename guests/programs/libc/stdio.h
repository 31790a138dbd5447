/* The part of <stdio.h> (C11 7.21.6) that the programs use: formatted text to the
   console and into memory. */
#ifndef PROGRAMS_LIBC_STDIO_H
#define PROGRAMS_LIBC_STDIO_H

#include <stdarg.h>
#include <stddef.h>

/* Conversions: d u x c s p %, with l, ll, z, the flags 0 and -, a width (also *) and,
   for s, a precision (also *). */
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int vprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
int snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *to, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

#endif
