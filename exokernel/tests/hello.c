// SPDX-License-Identifier: MIT
// The first environment starts as boot.h says: context block, boot page, exposed tables, and a kernel that answers.
#include "test.h"

void test_main(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    uint64_t entries, t0, t1;

    is(boot->version, EXO_ABI_VERSION);
    is(boot->nmodules, 1);
    ok(boot->module[0].entry != 0 && boot->module[0].phnum != 0);
    is(CTX->self, EXO_BOOT_CTX_VA);
    is(ctx_self()->self, EXO_BOOT_CTX_VA);
    is(CTX->index, 0);
    is(exo_cap_identify(boot->env, &info), 0);
    is(info.type, EXO_CAP_ENV);
    is(info.env, CTX->env);
    is(exo_cap_identify(boot->module[0].frames, &info), 0);
    is(info.first_frame, boot->module[0].first_frame);
    ok(EXO_INFO->frames > 1000 && EXO_INFO->frames_free > 1000 && EXO_INFO->cpus >= 1);
    is(EXO_ENVS[EXO_ENV_INDEX(CTX->env)].state, EXO_ENV_LIVE);
    entries = EXO_ENVS[EXO_ENV_INDEX(CTX->env)].entries;
    t0 = (uint64_t)exo_syscall6(95, 0, 0, 0, 0, 0, 0);
    entries = EXO_ENVS[EXO_ENV_INDEX(CTX->env)].entries - entries;
    is(t0, -EXO_ENOSYS);
    is(entries, 1);
    t0 = now();
    is(exo_wait(0, 0, t0 + 30000000), -EXO_ETIMEDOUT);
    t1 = now();
    ok(t1 - t0 >= 30000000 && t1 - t0 < 300000000);
    ok(EXO_INFO->wall_ns / 1000000000 > 1600000000);
    ok(boot->seed[0] != boot->seed[1]);
}
