// SPDX-License-Identifier: MIT
// The only way to memory of the running environment. A user address is an allegation: it is checked
// against the user half, and the access itself is recoverable (fixup table), so that no address a
// caller can invent harms the kernel. All copy from or to the address space that is loaded.
#ifndef KERNEL_UACCESS_H
#define KERNEL_UACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <exo/memlayout.h>

typedef uint64_t uaddr_t; // an address a user gave

static inline bool user_range(uaddr_t va, uint64_t bytes)
{
    return va <= EXO_USER_END && bytes <= EXO_USER_END - va;
}

// Copy `bytes`; 0, or -EXO_EFAULT with an unknown part of it done.
int copy_from_user(void *dst, uaddr_t src, size_t bytes);
int copy_to_user(uaddr_t dst, const void *src, size_t bytes);

#endif
