// SPDX-License-Identifier: MIT
//
// The log: text to COM1, polled, because it must work before and after everything else. Lines end
// in CR LF there.

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <core/log.h>
#include <x86/cpu.h>

#define COM1 0x3f8

void serial_init(void)
{
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 0x80);
    outb(COM1 + 0, 1); // 115200
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 3); // 8N1
    outb(COM1 + 2, 0xc7);
    outb(COM1 + 4, 3);
}

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
    }
}

static void put_number(uint64_t value, unsigned base, bool negative, unsigned width, char pad)
{
    char text[24];
    unsigned at = sizeof(text);

    do {
        text[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    if (negative)
        text[--at] = '-';
    while (sizeof(text) - at < width && at)
        text[--at] = pad;
    log_write(text + at, sizeof(text) - at);
}

static void put_text(const char *text, unsigned width)
{
    size_t bytes = strlen(text);

    log_write(text, bytes);
    for (; bytes < width; bytes++)
        log_write(" ", 1);
}

static const char *put_item(const char *p, va_list *args)
{
    unsigned width = 0;
    char pad = ' ';
    bool wide = false;

    if (*p == '0')
        pad = *p++;
    for (; *p >= '0' && *p <= '9'; p++)
        width = width * 10 + (unsigned)(*p - '0');
    for (; *p == 'l' || *p == 'z'; p++)
        wide = true;
    switch (*p) {
    case 's':
        put_text(va_arg(*args, const char *), width);
        break;
    case 'c': {
        char c = (char)va_arg(*args, int);
        log_write(&c, 1);
        break;
    }
    case 'd': {
        int64_t value = wide ? va_arg(*args, int64_t) : va_arg(*args, int);
        put_number(value < 0 ? -(uint64_t)value : (uint64_t)value, 10, value < 0, width, pad);
        break;
    }
    case 'u':
    case 'x':
        put_number(wide ? va_arg(*args, uint64_t) : va_arg(*args, unsigned), *p == 'x' ? 16 : 10,
                   false, width, pad);
        break;
    case 'p':
        put_number((uint64_t)va_arg(*args, void *), 16, false, 16, '0');
        break;
    default:
        log_write(p, 1);
    }
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
