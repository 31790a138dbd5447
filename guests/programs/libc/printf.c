/* Formatted text to the console and into memory. */
#include <stdio.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/uart.h"

/* Where text goes: to the console when `to` is NULL. */
struct sink {
    char *to;
    size_t size, len;
};

struct spec {
    bool left, zero;
    int width, precision, longs;
};

static void sink_put(struct sink *s, char c)
{
    if (!s->to)
        uart_put(c);
    else if (s->len + 1 < s->size)
        s->to[s->len] = c;
    s->len++;
}

static void sink_field(struct sink *s, const struct spec *spec, const char *text, size_t len)
{
    size_t pad = spec->width > 0 && (size_t)spec->width > len ? spec->width - len : 0;

    if (!spec->left && spec->zero && len > 0 && *text == '-') {
        sink_put(s, *text++);
        len--;
    }
    for (; !spec->left && pad > 0; pad--)
        sink_put(s, spec->zero ? '0' : ' ');
    for (; len > 0; len--)
        sink_put(s, *text++);
    for (; pad > 0; pad--)
        sink_put(s, ' ');
}

static void sink_number(struct sink *s, struct spec *spec, uint64_t value, bool negative,
                        unsigned radix)
{
    char digits[24];
    size_t at = sizeof digits;

    do {
        digits[--at] = "0123456789abcdef"[value % radix];
        value /= radix;
    } while (value > 0);
    if (negative)
        digits[--at] = '-';
    sink_field(s, spec, digits + at, sizeof digits - at);
}

static const char *spec_parse(struct spec *spec, const char *f, va_list *args)
{
    *spec = (struct spec){.precision = -1};
    for (; *f == '0' || *f == '-'; f++) {
        spec->zero |= *f == '0';
        spec->left |= *f == '-';
    }
    if (*f == '*') {
        spec->width = va_arg(*args, int);
        f++;
    }
    for (; *f >= '0' && *f <= '9'; f++)
        spec->width = spec->width * 10 + *f - '0';
    if (*f == '.' && f[1] == '*') {
        spec->precision = va_arg(*args, int);
        f += 2;
    } else if (*f == '.') {
        spec->precision = 0;
        for (f++; *f >= '0' && *f <= '9'; f++)
            spec->precision = spec->precision * 10 + *f - '0';
    }
    for (; *f == 'l' || *f == 'z'; f++)
        spec->longs++;
    return f;
}

static void sink_string(struct sink *s, struct spec *spec, const char *text)
{
    size_t len = 0;

    while ((spec->precision < 0 || len < (size_t)spec->precision) && text[len])
        len++;
    sink_field(s, spec, text, len);
}

static void sink_format(struct sink *s, const char *f, va_list *args)
{
    struct spec spec;
    int64_t value;
    char c;

    for (; *f; f++) {
        if (*f != '%') {
            sink_put(s, *f);
            continue;
        }
        f = spec_parse(&spec, f + 1, args);
        switch (*f) {
        case 'd':
            value = spec.longs ? va_arg(*args, long) : va_arg(*args, int);
            sink_number(s, &spec, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0, 10);
            break;
        case 'u':
        case 'x':
            sink_number(s, &spec,
                        spec.longs ? va_arg(*args, unsigned long) : va_arg(*args, unsigned), false,
                        *f == 'x' ? 16 : 10);
            break;
        case 'p': sink_number(s, &spec, (uintptr_t)va_arg(*args, void *), false, 16); break;
        case 'c':
            c = (char)va_arg(*args, int);
            sink_field(s, &spec, &c, 1);
            break;
        case 's': sink_string(s, &spec, va_arg(*args, const char *)); break;
        default: sink_put(s, *f);
        }
        if (*f == '\0')
            return;
    }
}

int vsnprintf(char *to, size_t size, const char *format, va_list args)
{
    char nothing[1];
    struct sink s = {size > 0 ? to : nothing, size > 0 ? size : 1, 0};
    va_list copy;

    va_copy(copy, args);
    sink_format(&s, format, &copy);
    va_end(copy);
    s.to[s.len < s.size ? s.len : s.size - 1] = '\0';
    return (int)s.len;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(to, size, format, args);
    va_end(args);
    return len;
}

int vprintf(const char *format, va_list args)
{
    struct sink s = {NULL, 0, 0};
    va_list copy;

    va_copy(copy, args);
    sink_format(&s, format, &copy);
    va_end(copy);
    return (int)s.len;
}

int printf(const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vprintf(format, args);
    va_end(args);
    return len;
}

int atoi(const char *s)
{
    int value = 0;
    bool negative = *s == '-';

    for (s += negative; *s >= '0' && *s <= '9'; s++)
        value = value * 10 + *s - '0';
    return negative ? -value : value;
}
