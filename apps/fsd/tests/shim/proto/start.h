// SPDX-License-Identifier: MIT
// The context block and the process records are the fake's.
#include_next <proto/start.h>
#ifndef SHIM_START_H
#define SHIM_START_H
#undef LIBOS_CTX
#undef LIBOS_PROCTAB
extern unsigned char fake_ctx[2 * 4096], fake_proctab[];
#define LIBOS_CTX     ((uint64_t)fake_ctx)
#define LIBOS_PROCTAB ((uint64_t)fake_proctab)
#endif
