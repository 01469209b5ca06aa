// SPDX-License-Identifier: MIT
//
// The table of system calls, generated from syscalls.def. `libos_calls` points at the table in use:
// this one, or one whose every entry goes through a tracer or through the checks of a simulated
// vfork child.
#include <core/core.h>

// Their arguments differ; the registers they come in do not.
#define AS_CALL(f)          ((syscall_fn)(void (*)(void))(f))
#define SYS(nr, name, args) long px_##name();
#include <syscalls.def>
#undef SYS

#pragma GCC diagnostic ignored "-Woverride-init"
const syscall_fn libos_table[LIBOS_NCALLS] = {
    [0 ... LIBOS_NCALLS - 1] = AS_CALL(px_nosys),
#define SYS(nr, name, args) [nr] = AS_CALL(px_##name),
#include <syscalls.def>
#undef SYS
};
const syscall_fn *libos_calls = libos_table;
const syscall_fn *libos_inner = libos_table;

void calls_choose(void)
{
    libos_inner = vfork_active() ? vfork_table : libos_table;
    libos_calls = trace_on ? trace_table : libos_inner;
}

struct call_text {
    const char *name, *args;
};
static const struct call_text call_texts[LIBOS_NCALLS] = {
#define SYS(nr, name, args) [nr] = {#name, args},
#include <syscalls.def>
#undef SYS
};

const char *syscall_name(unsigned nr)
{
    return nr < LIBOS_NCALLS ? call_texts[nr].name : NULL;
}

const char *syscall_args(unsigned nr)
{
    return nr < LIBOS_NCALLS && call_texts[nr].args ? call_texts[nr].args : "xxxxxx";
}

long px_nosys(void)
{
    return -LX_ENOSYS;
}
