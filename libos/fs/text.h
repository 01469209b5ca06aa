// SPDX-License-Identifier: MIT
// Making text in a buffer of known size. What does not fit is counted, not written: make it once
// without a buffer to learn the length.
#ifndef FS_TEXT_H
#define FS_TEXT_H
#include <core/libos.h>

struct text {
    char *at;
    size_t room, length;
};

void text_add(struct text *t, const char *s, size_t n);
void text_put(struct text *t, const char *s);
// %d %u %x %lu %lx %s; a width pads numbers with zeros.
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
