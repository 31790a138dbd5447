/* The part of <string.h> (C11 7.24) that the programs and lwIP use. */
#ifndef PROGRAMS_LIBC_STRING_H
#define PROGRAMS_LIBC_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int c, size_t len);
int memcmp(const void *a, const void *b, size_t len);
void *memchr(const void *s, int c, size_t len);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t len);
char *strchr(const char *s, int c);
char *strstr(const char *s, const char *part);
char *strncpy(char *restrict to, const char *restrict from, size_t len);

#endif
