// SPDX-License-Identifier: MIT
//
// Printing for debugging. Lines go to the kernel's log where this process holds a MACHINE
// capability (init and what it trusts), otherwise to descriptor 2.
#include <stdarg.h>
#include <core/core.h>

long px_write(int fd, uint64_t buf, size_t n);

struct out {
    char *text;
    size_t used, max;
};

static void put(struct out *o, char c)
{
    if (o->used < o->max)
        o->text[o->used++] = c;
}

static void put_string(struct out *o, const char *s)
{
    while (s && *s)
        put(o, *s++);
}

static void put_number(struct out *o, uint64_t v, unsigned base, bool negative)
{
    char digits[24];
    unsigned n = 0;
    if (negative)
        put(o, '-');
    do
        digits[n++] = "0123456789abcdef"[v % base];
    while ((v /= base));
    while (n)
        put(o, digits[--n]);
}

size_t format_text(char *text, size_t max, const char *f, va_list args)
{
    struct out o = {text, 0, max};
    for (; *f; f++) {
        if (*f != '%') {
            put(&o, *f);
            continue;
        }
        bool wide = *++f == 'l';
        if (wide)
            f++;
        if (!*f)
            break;
        if (*f == 's')
            put_string(&o, va_arg(args, const char *));
        else if (*f == 'c')
            put(&o, (char)va_arg(args, int));
        else if (*f == 'd') {
            int64_t v = wide ? va_arg(args, int64_t) : va_arg(args, int);
            put_number(&o, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, v < 0);
        } else if (*f == 'u' || *f == 'x') {
            uint64_t v = wide ? va_arg(args, uint64_t) : va_arg(args, unsigned);
            put_number(&o, v, *f == 'u' ? 10 : 16, false);
        } else if (*f == 'p') {
            put_string(&o, "0x");
            put_number(&o, (uint64_t)va_arg(args, void *), 16, false);
        } else
            put(&o, *f);
    }
    return o.used;
}

static void log_text(const char *text, size_t n)
{
    if (libos_machine)
        exo_machine_log(libos_machine, text, n);
    else
        px_write(2, (uint64_t)text, n);
}

void libos_log(const char *format, ...)
{
    char line[256];
    va_list args;
    va_start(args, format);
    size_t n = format_text(line, sizeof line, format, args);
    va_end(args);
    log_text(line, n);
}

#define PANIC_STATUS 6 // as a death by SIGABRT

void libos_panic(const char *format, ...)
{
    static bool panicking;
    if (panicking)
        exo_env_exit(PANIC_STATUS);
    panicking = true;
    char line[256];
    va_list args;
    va_start(args, format);
    size_t n = format_text(line, sizeof line - 1, format, args);
    va_end(args);
    line[n++] = '\n';
    log_text(line, n);
    for (;;)
        exo_env_exit(PANIC_STATUS);
}
