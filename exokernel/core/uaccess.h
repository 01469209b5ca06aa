// SPDX-License-Identifier: MIT
// The only way to memory of the running environment. A user address is an allegation: it is checked
// against the user half, and the access itself is recoverable (fixup table), so that no address a
// caller can invent harms the kernel. All copy from or to the address space that is loaded.
#ifndef KERNEL_UACCESS_H
#define KERNEL_UACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <exo/errors.h>
#include <exo/memlayout.h>

typedef uint64_t uaddr_t; // an address a user gave

static inline bool user_range(uaddr_t va, uint64_t bytes)
{
    return va <= EXO_USER_END && bytes <= EXO_USER_END - va;
}

int user_copy(void *dst, const void *src, size_t bytes); // x86/entry.S: 0, or -1 after a fault

// Copy `bytes`; 0, or -EXO_EFAULT with an unknown part of it done. A read-only page (copy-on-write
// too) is a fault for copy_to_user: the caller's library makes it writable and calls again.
static inline int copy_from_user(void *dst, uaddr_t src, size_t bytes)
{
    return user_range(src, bytes) && !user_copy(dst, (const void *)src, bytes) ? 0 : -EXO_EFAULT;
}
static inline int copy_to_user(uaddr_t dst, const void *src, size_t bytes)
{
    return user_range(dst, bytes) && !user_copy((void *)dst, src, bytes) ? 0 : -EXO_EFAULT;
}

#endif
