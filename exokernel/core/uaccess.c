// SPDX-License-Identifier: MIT
//
// Copies between the kernel and the loaded address space: the range check here, the access in
// entry.S, where a fault continues at the fixup. A read-only page (copy-on-write too) is a fault
// for copy_to_user: the caller's library makes it writable and calls again.

#include <core/uaccess.h>
#include <exo/errors.h>
#include <x86/cpu.h>

int copy_from_user(void *dst, uaddr_t src, size_t bytes)
{
    if (!user_range(src, bytes) || user_copy(dst, (const void *)src, bytes))
        return -EXO_EFAULT;
    return 0;
}

int copy_to_user(uaddr_t dst, const void *src, size_t bytes)
{
    if (!user_range(dst, bytes) || user_copy((void *)dst, src, bytes))
        return -EXO_EFAULT;
    return 0;
}
