// SPDX-License-Identifier: MIT
// Compiled in front of the kernel's memory objects on the host: physical memory is an array.
#ifndef UNIT_ARENA_H
#define UNIT_ARENA_H
#include <stdint.h>
#include <exo/memlayout.h>
extern unsigned char *arena;
#undef EXO_DIRECT_BASE
#define EXO_DIRECT_BASE ((uint64_t)arena)
#endif
