/* Copies and compares bytes and strings; eight bytes at a time where both sides allow,
   because some harts trap on misaligned words. */
#include <string.h>

#include <stdint.h>

typedef uint64_t __attribute__((may_alias)) word_t;

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    uint8_t *d = to;
    const uint8_t *s = from;

    if ((((uintptr_t)d ^ (uintptr_t)s) & 7) == 0) {
        for (; len > 0 && ((uintptr_t)d & 7) != 0; len--)
            *d++ = *s++;
        for (; len >= 32; len -= 32, d += 32, s += 32) {
            word_t a = ((const word_t *)s)[0], b = ((const word_t *)s)[1];
            word_t c = ((const word_t *)s)[2], e = ((const word_t *)s)[3];

            ((word_t *)d)[0] = a;
            ((word_t *)d)[1] = b;
            ((word_t *)d)[2] = c;
            ((word_t *)d)[3] = e;
        }
        for (; len >= 8; len -= 8, d += 8, s += 8)
            *(word_t *)d = *(const word_t *)s;
    }
    for (; len > 0; len--)
        *d++ = *s++;
    return to;
}

void *memmove(void *to, const void *from, size_t len)
{
    uint8_t *d = to;
    const uint8_t *s = from;

    if ((uintptr_t)d - (uintptr_t)s >= len)
        return memcpy(to, from, len);
    while (len-- > 0)
        d[len] = s[len];
    return to;
}

void *memset(void *to, int c, size_t len)
{
    uint8_t *d = to;
    word_t fill = (uint8_t)c * UINT64_C(0x0101010101010101);

    for (; len > 0 && ((uintptr_t)d & 7) != 0; len--)
        *d++ = (uint8_t)c;
    for (; len >= 8; len -= 8, d += 8)
        *(word_t *)d = fill;
    for (; len > 0; len--)
        *d++ = (uint8_t)c;
    return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const uint8_t *x = a, *y = b;

    for (; len > 0; len--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void *memchr(const void *s, int c, size_t len)
{
    for (const uint8_t *p = s; len > 0; len--, p++)
        if (*p == (uint8_t)c)
            return (void *)p;
    return NULL;
}

size_t strlen(const char *s)
{
    const char *end = s;

    while (*end)
        end++;
    return (size_t)(end - s);
}

int strcmp(const char *a, const char *b)
{
    for (; *a && *a == *b; a++, b++)
        ;
    return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t len)
{
    for (; len > 0; len--, a++, b++)
        if (*a != *b || *a == '\0')
            return (uint8_t)*a - (uint8_t)*b;
    return 0;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)s;
        if (*s == '\0')
            return NULL;
    }
}

char *strstr(const char *s, const char *part)
{
    size_t len = strlen(part);

    for (; *s; s++)
        if (strncmp(s, part, len) == 0)
            return (char *)s;
    return len == 0 ? (char *)s : NULL;
}

char *strncpy(char *restrict to, const char *restrict from, size_t len)
{
    size_t i = 0;

    for (; i < len && from[i]; i++)
        to[i] = from[i];
    for (; i < len; i++)
        to[i] = '\0';
    return to;
}
