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

static void put_number(struct text *t, unsigned long value, unsigned digits)
{
    char buf[24];
    char *end = buf + sizeof(buf), *p = end;
    do {
        *--p = (char)('0' + value % 10);
        value /= 10;
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
        unsigned digits = 1;
        if (*format == '0') {
            digits = (unsigned)(format[1] - '0');
            format += 2;
        }
        if (*format == 'l')
            format++;
        if (*format == 's') {
            text_put(t, va_arg(args, const char *));
        } else if (*format == 'd') {
            long value = va_arg(args, int);
            if (value < 0)
                text_add(t, "-", 1);
            put_number(t, value < 0 ? (unsigned long)-value : (unsigned long)value, digits);
        } else if (format[-1] == 'l') {
            put_number(t, va_arg(args, unsigned long), digits);
        } else {
            put_number(t, va_arg(args, unsigned), digits);
        }
    }
    va_end(args);
}
