// SPDX-License-Identifier: MIT
// Prototypes of calls that other parts of the libOS use too. The dispatch table itself takes
// addresses only (syscalls.def).
#ifndef LIBOS_CALLS_H
#define LIBOS_CALLS_H
#include <stddef.h>
#include <stdint.h>

long px_close(int fd);
long px_getrandom(uint64_t buf, size_t n, uint32_t flags);

#endif
