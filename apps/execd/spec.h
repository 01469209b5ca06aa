// SPDX-License-Identifier: MIT
// The command as the relay packs it: NUL-terminated words "ARGC=n", n arguments, "ENVC=n", n
// variables, "STDIN=pull" or "STDIN=none".
#ifndef EXECD_SPEC_H
#define EXECD_SPEC_H

#include <stddef.h>

struct spec {
    char **argv; // NULL-terminated, at least one
    char **envp;
    int input; // there is a standard input to pull
};

// Unpack; the words stay where they are. 0, or -1 if the bytes are no spec or memory is short.
int spec_read(struct spec *spec, const char *bytes, size_t n);

#endif
