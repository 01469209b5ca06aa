// SPDX-License-Identifier: MIT
// The kernel's log (COM1, screen) and its end (panic). Formats: %s %u %x %ld %lu %lx.
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void log_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_write(const char *text, size_t bytes);
__attribute__((noreturn, format(printf, 1, 2))) void panic(const char *format, ...);
#define EXIT_PORT 0x501 // an emulator's exit device
// The log on the screen (screen.c). screen_frames, of which it has a reference, tell whose that is.
struct kobj;
extern struct kobj *screen_frames;
extern bool panicking; // then it is ours
void screen_open(void);
void screen_put(char c);
struct regs;
__attribute__((noreturn)) void panic_regs(const struct regs *regs,
                                          uint64_t cr2); // an exception in the kernel

// For invariants only, never for what a user supplied.
#define kassert(cond)                                                                              \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0))                                                          \
            panic("%s:%u: %s", __FILE__, __LINE__, #cond);                                         \
    } while (0)

#endif
