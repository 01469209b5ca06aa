// SPDX-License-Identifier: MIT
// A foreign SYSCALL bounces to foreign_entry with everything but rcx and r11 as it was; bad entries
// are exceptions.
#include "test.h"

static volatile uint64_t vector;
static volatile uint64_t seen[8];

// Adds one to rax, notes what it finds, and goes back by the words in the block.
void foreign(void);
__asm__("foreign:\n"
        "    mov %rax, seen\n"
        "    mov %rdi, seen+8\n"
        "    mov %r10, seen+16\n"
        "    mov %rsp, seen+24\n"
        "    mov %gs:0x70, %rcx\n"
        "    mov %rcx, seen+32\n"
        "    mov %gs:0x68, %rcx\n"
        "    mov %rcx, seen+40\n"
        "    pushfq\n"
        "    pop seen+48\n"
        "    inc %rax\n"
        "    jmp *%gs:0x60\n");

static void handler(struct exo_save *save)
{
    vector = save->vector;
    save->rip += 2;
}

static uint64_t foreign_call(uint64_t nr)
{
    register uint64_t r10 __asm__("r10") = 10;
    uint64_t result;

    __asm__ volatile("std\n\tsyscall\n\tcld"
                     : "=a"(result)
                     : "a"(nr), "D"(7), "r"(r10)
                     : "rcx", "r11", "memory", "cc");
    return result;
}

void test_main(void)
{
    static const uint64_t bad[] = {0, 1ull << 47, 1ull << 63, EXO_KERNEL_BASE, UINT64_MAX};
    uint64_t before = EXO_ENVS[EXO_ENV_INDEX(CTX->env)].foreign;

    upcalls_to(handler);
    CTX->foreign_entry = (uint64_t)foreign;
    is(foreign_call(39), 40);
    is(seen[0], 39);
    is(seen[1], 7);
    is(seen[2], 10);
    is(seen[3], seen[4]);
    ok(seen[5] & 0x400);    // the caller's direction flag ...
    ok(!(seen[6] & 0x400)); // ... is not the handler's
    is(EXO_ENVS[EXO_ENV_INDEX(CTX->env)].foreign, before + 1);
    is(foreign_call(0x45584f4200000001), 0x45584f4200000002); // nearly the mark
    is(exo_ctx_bases(EXO_KEEP, 0x1234000), 0);
    is(foreign_call(1), 2); // GS is the block's in the handler
    is(ctx_self()->self, EXO_BOOT_CTX_VA);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CTX->foreign_entry = bad[i];
        vector = 0;
        is(foreign_call(5), 5);
        is(vector, 6);
    }
}
