// SPDX-License-Identifier: MIT
// In place of the kernel's stubs: every call is a function of fake_exo.c.
#ifndef EXO_STUBS_H
#define EXO_STUBS_H
#include <exo/calls.h>

struct exo_msg {
    uint64_t meta;
    uint64_t w[6];
};

#define EXO_ARG_H                          exo_handle_t
#define EXO_ARG_U                          uint64_t
#define EXO_ARG_P                          const volatile void *
#define CALL0(nr, name, ...)               int64_t exo_##name(void);
#define CALL1(nr, name, ta, a, ...)        int64_t exo_##name(EXO_ARG_##ta a);
#define CALL2(nr, name, ta, a, tb, b, ...) int64_t exo_##name(EXO_ARG_##ta a, EXO_ARG_##tb b);
#define CALL3(nr, name, ta, a, tb, b, tc, c, ...)                                                  \
    int64_t exo_##name(EXO_ARG_##ta a, EXO_ARG_##tb b, EXO_ARG_##tc c);
#define CALL4(nr, name, ta, a, tb, b, tc, c, td, d, ...)                                           \
    int64_t exo_##name(EXO_ARG_##ta a, EXO_ARG_##tb b, EXO_ARG_##tc c, EXO_ARG_##td d);
#define CALL5(nr, name, ta, a, tb, b, tc, c, td, d, te, e, ...)                                    \
    int64_t exo_##name(EXO_ARG_##ta a, EXO_ARG_##tb b, EXO_ARG_##tc c, EXO_ARG_##td d,             \
                       EXO_ARG_##te e);
#define CALLX(nr, name, ...)
int64_t exo_call(exo_handle_t server, struct exo_msg *m);
#include <exo/calls.def>
#undef CALL0
#undef CALL1
#undef CALL2
#undef CALL3
#undef CALL4
#undef CALL5
#undef CALLX
#endif
