// SPDX-License-Identifier: MIT
// The first environment starts as boot.h says: context block, boot page, exposed tables, and a
// kernel that answers.
#include "test.h"

// The screen is device memory that can be mapped and holds what is written.
static void screen(void)
{
    const struct exo_boot_screen *s = &boot->screen;
    volatile uint16_t *cell = (volatile uint16_t *)(0x50000000 + s->address % 4096);

    put("# screen: kind %u, %u x %u, pitch %u, %u bits, at %lx, colors %u:%u %u:%u %u:%u\n",
        s->kind, s->width, s->height, s->pitch, s->bpp, s->address, s->red_pos, s->red_size,
        s->green_pos, s->green_size, s->blue_pos, s->blue_size);
    if (s->kind == 0)
        return;
    is(map(0, s->frames, 0x50000000, 0, 1, RW), 1);
    *cell = 0x1f45;
    is(*cell, 0x1f45);
    is(unmap(0x50000000, 1), 1);
}

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
    screen();
}
