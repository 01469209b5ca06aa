// SPDX-License-Identifier: MIT
// Exceptions of every kind are upcalls with vector and error; privileged and absurd instructions
// harm nobody.
#include "test.h"

static volatile uint64_t vector, error, cause, skip;

static void handler(struct exo_save *save)
{
    vector = save->vector;
    error = save->error;
    cause = save->cause;
    save->rip += skip;
}

#define TRY(bytes, text, ...)                                                                      \
    do {                                                                                           \
        skip = bytes;                                                                              \
        vector = 99;                                                                               \
        __asm__ volatile(text : : __VA_ARGS__ : "memory", "cc");                                   \
    } while (0)

void test_main(void)
{
    upcalls_to(handler);
    TRY(2, "ud2", "a"(0));
    is(vector, 6);
    is(cause, EXO_UP_EXCEPTION);
    TRY(1, "hlt", "a"(0));
    is(vector, 13);
    is(error, 0);
    TRY(0, "int3", "a"(0));
    is(vector, 3);
    TRY(2, "div %%bl", "a"(1), "b"(0));
    is(vector, 0);
    TRY(1, "cli", "a"(0));
    is(vector, 13);
    TRY(2, "int $0x40", "a"(0)); // the timer's vector
    is(vector, 13);
    TRY(2, "int $0x80", "a"(0));
    is(vector, 13);
    TRY(1, "inb %%dx, %%al", "d"(0x60), "a"(0));
    is(vector, 13);
    TRY(2, "wrmsr", "a"(0), "c"(0xc0000080), "d"(0));
    is(vector, 13);
    TRY(3, "mov %%cr3, %%rax", "a"(0));
    is(vector, 13);
    TRY(3, "mov (%%rax), %%rax", "a"(0x8000000000000000ull)); // not canonical
    is(vector, 13);
    TRY(3, "mov (%%rax), %%rax", "a"(EXO_KERNEL_BASE + 0x108000));
    is(vector, 14);
    is(error, 5);
    skip = 2;
    __asm__ volatile("syscall"
                     :
                     : "a"(39)
                     : "rcx", "r11",
                       "memory"); // foreign, without an entry for it: the instruction faults
    is(vector, 6);
}
