// SPDX-License-Identifier: MIT
// A page fault is an upcall; the handler maps the page and resumes by iretq. It nests twice, the
// third level is death.
#include "test.h"

#define HOLE 0x10000000ull

static volatile unsigned faults, depth_seen;
static volatile uint64_t last_addr, last_error, last_rsp;

static void handler(struct exo_save *save)
{
    faults++;
    last_addr = save->addr;
    last_error = save->error;
    last_rsp = save->rsp;
    if (CTX->depth > depth_seen)
        depth_seen = CTX->depth;
    if (save->cause != EXO_UP_PAGEFAULT)
        put("# cause %lu vector %lu rip %lx\n", save->cause, save->vector, save->rip);
    buy(save->addr & ~4095ull, 1, RW);
    if (save->addr == HOLE + 0x5000) // touch another hole inside the handler
        *(volatile char *)(HOLE + 0x6000) = 6;
}

static uint64_t touch_all_registers(volatile uint64_t *p)
{
    uint64_t result;

    __asm__ volatile("mov $11, %%rbx\n\tmov $12, %%r12\n\tmov $15, %%r15\n\tstc\n\t"
                     "mov (%1), %0\n\t"
                     "sbb $0, %0\n\tadd %%rbx, %0\n\tadd %%r12, %0\n\tadd %%r15, %0"
                     : "=&r"(result)
                     : "r"(p)
                     : "rbx", "r12", "r15", "memory", "cc");
    return result;
}

void test_main(void)
{
    uint64_t faults_before = EXO_ENVS[EXO_ENV_INDEX(CTX->env)].faults;

    upcalls_to(handler);
    *(volatile char *)(HOLE + 5) = 1;
    is(faults, 1);
    is(last_addr, HOLE + 5);
    is(last_error, 6); // write, user, not present
    is(*(volatile char *)(HOLE + 5), 1);
    is(touch_all_registers((uint64_t *)(HOLE + 0x1000)), 0 - 1 + 11 + 12 + 15);
    is(faults, 2);
    is(last_error, 4);
    is(CTX->depth, 0);
    *(volatile char *)(HOLE + 0x5000) = 5;
    is(*(volatile char *)(HOLE + 0x6000), 6);
    is(depth_seen, 2);
    is(CTX->depth, 0);
    is(EXO_ENVS[EXO_ENV_INDEX(CTX->env)].faults, faults_before + 4);
    is(unmap(HOLE, 7), 1);
}
