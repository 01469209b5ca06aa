// SPDX-License-Identifier: MIT
// What the heap needs from below; the host test supplies its own.
#ifndef CORE_HEAP_H
#define CORE_HEAP_H
#include <core/libos.h>

#define HEAP_MAX (1ull << 36)

void *heap_more(uint64_t pages); // zeroed pages right behind the last ones, or NULL
void heap_broken(const void *p) __attribute__((noreturn)); // p is not a live block
#endif
