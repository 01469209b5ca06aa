// SPDX-License-Identifier: MIT
// The end of a machine that ran one command: everything the processes bought must have come back.
//
// Whatever processes are left are killed. When the last is gone, the kernel checks its invariants,
// and the bank that pays for processes must have sold exactly as much as before the first one
// started: pages, tables, capabilities, environments. The servers have banks of their own, so what
// they keep in their caches does not count. If something is wrong, the machine powers off with
// END_DISORDER, which ./exoc exec reports as a failure of the machine.
#include "init.h"
#include <stdio.h>

#define END_DISORDER 126
#define PATIENCE_NS  5000000000ull // for the last processes to go

static uint64_t used_before;
static uint32_t status;
static exo_ns_t give_up_at; // 0: not ending

static uint64_t bank_used(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    return exo_cap_identify(own.user_bank, &info) < 0 ? 0 : info.used;
}

void end_prepare(void)
{
    used_before = bank_used();
}

bool end_begun(void)
{
    return give_up_at != 0;
}

void end_begin(uint32_t exit_status)
{
    struct proc *p;
    status = exit_status;
    give_up_at = exo_clock_ns() + PATIENCE_NS;
    TAILQ_FOREACH (p, &procs, all) {
        if (p->parent && p->rec->state != PROC_ZOMBIE)
            exo_env_kill(p->env, LX_SIGKILL, 0);
    }
}

exo_ns_t end_deadline(void)
{
    return end_begun() ? give_up_at : EXO_NEVER;
}

static unsigned processes_left(void)
{
    struct proc *p;
    unsigned n = 0;
    TAILQ_FOREACH (p, &procs, all)
        n += p->parent != NULL;
    return n;
}

static void power_off(unsigned left)
{
    struct exo_check check = {.size = sizeof(check), .version = EXO_ABI_VERSION};
    int64_t err = exo_machine_check(own.machine, &check, 0);
    int64_t lost = (int64_t)(bank_used() - used_before);
    fprintf(stderr,
            "check: %llu violations, frames free %llu, not given back %lld, processes left %u\n",
            (unsigned long long)check.violations, (unsigned long long)check.frames[EXO_FRAME_FREE],
            (long long)lost, left);
    bool disorder = err < 0 || check.violations || lost || left;
    exo_machine_power(own.machine, EXO_POWER_OFF,
                      disorder          ? END_DISORDER
                      : (status & 0x7f) ? 128 + (status & 0x7f)
                                        : status >> 8 & 0xff);
}

void end_step(void)
{
    unsigned left = processes_left();
    if (end_begun() && (!left || exo_clock_ns() >= give_up_at))
        power_off(left);
}
