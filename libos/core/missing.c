// SPDX-License-Identifier: MIT
//
// Weak stand-ins for system calls that are named in syscalls.def and not written yet: ENOSYS. This file goes when the
// last of them is; then the linker tells what is missing.
#include <stdint.h>
#include <lx/errno.h>

#define SYS(nr, name, args)                                                                        \
    __attribute__((weak)) long px_##name(void);                                                    \
    __attribute__((weak)) long px_##name(void)                                                     \
    {                                                                                              \
        return -LX_ENOSYS;                                                                         \
    }
#include <syscalls.def>
#undef SYS

__attribute__((weak)) void proc_after_fork_child(void);
__attribute__((weak)) void proc_after_fork_child(void)
{
}

__attribute__((weak)) void timer_after_exec(void);
__attribute__((weak)) void timer_after_exec(void)
{
}
