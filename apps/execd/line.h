// SPDX-License-Identifier: MIT
/*
 * What execd needs of the machine: the line to the relay, memory the relay can reach, the command.
 * Two implementations: the serial port (uart.c), and sockets on the build machine (tests/).
 */
#ifndef EXECD_LINE_H
#define EXECD_LINE_H

#include <stddef.h>
#include <stdint.h>

struct line_memory {
    uint8_t *bytes;
    uint64_t physical; // of bytes[0]; the rest follows on
    size_t size;
};

// Before all else. 0, or -1 after telling why on standard error.
int line_open(int argc, char **argv);

// All of it; waits while the line is full.
void line_write(const uint8_t *bytes, size_t n);

// What has arrived, at most `room` bytes; does not wait.
size_t line_read(uint8_t *bytes, size_t room);

// Memory of `size` bytes (whole pages) that is contiguous for the relay. 0 or -1.
int line_memory(struct line_memory *memory, size_t size);

// The spec's bytes, or NULL.
const char *line_spec(size_t *bytes);

// In a child, before it becomes another program: give up whatever gives access to the line.
void line_drop(void);

#endif
