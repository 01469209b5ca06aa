// SPDX-License-Identifier: MIT
// init's context block is the fake's.
#include_next <exo/boot.h>
#ifndef SHIM_BOOT_H
#define SHIM_BOOT_H
#undef EXO_BOOT_CTX_VA
extern unsigned char fake_ctx[2 * 4096];
#define EXO_BOOT_CTX_VA ((uint64_t)fake_ctx)
#endif
