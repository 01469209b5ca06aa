// SPDX-License-Identifier: MIT
// The handlers of the kernel calls, prototypes generated from calls.def: int64_t
// sys_<name>(arguments), where H is exo_handle_t, U uint64_t, P uaddr_t. A handler returns the
// result (>= 0 or -EXO_E<NAME>), or CALL_NO_RESULT when the context's registers hold it already or
// get it later, because it sleeps.
#ifndef KERNEL_DISPATCH_H
#define KERNEL_DISPATCH_H

#include <core/uaccess.h>
#include <exo/calls.h>

#define CALL_NO_RESULT INT64_MIN

// For the checks a handler begins with: returns from it with the error, if it is one.
#define TRY(call)                                                                                  \
    do {                                                                                           \
        int try_error = (call);                                                                    \
        if (try_error)                                                                             \
            return try_error;                                                                      \
    } while (0)

struct ctx;

#define SYS_ARG_H                          exo_handle_t
#define SYS_ARG_U                          uint64_t
#define SYS_ARG_P                          uaddr_t
#define CALL1(nr, name, ta, a, ...)        int64_t sys_##name(SYS_ARG_##ta a);
#define CALL2(nr, name, ta, a, tb, b, ...) int64_t sys_##name(SYS_ARG_##ta a, SYS_ARG_##tb b);
#define CALL3(nr, name, ta, a, tb, b, tc, c, ...)                                                  \
    int64_t sys_##name(SYS_ARG_##ta a, SYS_ARG_##tb b, SYS_ARG_##tc c);
#define CALL4(nr, name, ta, a, tb, b, tc, c, td, d, ...)                                           \
    int64_t sys_##name(SYS_ARG_##ta a, SYS_ARG_##tb b, SYS_ARG_##tc c, SYS_ARG_##td d);
#define CALL5(nr, name, ta, a, tb, b, tc, c, td, d, te, e, ...)                                    \
    int64_t sys_##name(SYS_ARG_##ta a, SYS_ARG_##tb b, SYS_ARG_##tc c, SYS_ARG_##td d,             \
                       SYS_ARG_##te e);
#define CALLX(nr, name, ...) int64_t sys_##name(struct ctx *ctx);
#include <exo/calls.def>

#endif
