// SPDX-License-Identifier: MIT
//
// The log: text to COM1, polled, because it must work before and after everything else, and to the
// screen while that is nobody's (screen.c). Lines end in CR LF on the line, which the boot loader
// has set up.

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <core/log.h>
#include <x86/cpu.h>

#define COM1 0x3f8

static void serial_put(char c)
{
    for (unsigned i = 0; i < 100000 && !(inb(COM1 + 5) & 0x20); i++)
        __asm__ volatile("pause");
    outb(COM1, (uint8_t)c);
}

void log_write(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '\n')
            serial_put('\r');
        serial_put(text[i]);
        screen_put(text[i]);
    }
}

static void put_number(uint64_t value, unsigned base)
{
    char text[24];
    unsigned at = sizeof(text);

    do
        text[--at] = "0123456789abcdef"[value % base];
    while (value /= base);
    log_write(text + at, sizeof(text) - at);
}

static const char *put_item(const char *p, va_list *args)
{
    bool wide = *p == 'l';
    const char *text;
    uint64_t value;

    p += wide;
    if (*p == 's') {
        text = va_arg(*args, const char *);
        log_write(text, strlen(text));
        return p;
    }
    value = wide ? va_arg(*args, uint64_t) : va_arg(*args, uint32_t);
    if (*p == 'd' && (int64_t)value < 0) {
        log_write("-", 1);
        value = -value;
    }
    put_number(value, *p == 'x' ? 16 : 10);
    return p;
}

void log_vprintf(const char *format, va_list *args)
{
    const char *start = format;

    for (; *format; format++) {
        if (*format != '%')
            continue;
        log_write(start, (size_t)(format - start));
        format = put_item(format + 1, args);
        start = format + 1;
    }
    log_write(start, (size_t)(format - start));
}

void log_printf(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_vprintf(format, &args);
    va_end(args);
}
