// SPDX-License-Identifier: MIT
// See text.h.
#include <fs/text.h>
#include <stdarg.h>

void text_add(struct text *t, const char *s, size_t n)
{
    if (t->length < t->room)
        memcpy(t->at + t->length, s, n < t->room - t->length ? n : t->room - t->length);
    t->length += n;
}

void text_put(struct text *t, const char *s)
{
    text_add(t, s, strlen(s));
}

static void put_number(struct text *t, unsigned long value, unsigned base, unsigned digits)
{
    char buf[24];
    char *end = buf + sizeof(buf), *p = end;
    do {
        *--p = "0123456789abcdef"[value % base];
        value /= base;
    } while (value || (unsigned)(end - p) < digits);
    text_add(t, p, (size_t)(end - p));
}

void text_printf(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    for (; *format; format++) {
        if (*format != '%') {
            text_add(t, format, 1);
            continue;
        }
        format++;
        unsigned digits = 0;
        while (*format >= '0' && *format <= '9')
            digits = digits * 10 + (unsigned)(*format++ - '0');
        bool wide = *format == 'l';
        format += wide;
        if (*format == 's') {
            text_put(t, va_arg(args, const char *));
        } else if (*format == 'd') {
            long value = va_arg(args, int);
            if (value < 0)
                text_add(t, "-", 1);
            put_number(t, value < 0 ? (unsigned long)-value : (unsigned long)value, 10, digits);
        } else {
            unsigned long value = wide ? va_arg(args, unsigned long) : va_arg(args, unsigned);
            put_number(t, value, *format == 'x' ? 16 : 10, digits);
        }
    }
    va_end(args);
}
