// SPDX-License-Identifier: MIT
// Replacing one's own address space: the block stays where it is, what is not cloned is gone, the
// old space comes back.
#include "test.h"

#define OLD 0x10000000ull

static volatile uint64_t fault_at;
static uint64_t skip_to;

static void handler(struct exo_save *save)
{
    fault_at = save->addr;
    save->rip = skip_to;
}

static int64_t touch(uint64_t va)
{
    int64_t value = -1;

    fault_at = 0;
    __asm__ volatile("lea 1f(%%rip), %%rax\n\tmov %%rax, %2\n\tmov (%1), %0\n1:"
                     : "+r"(value)
                     : "r"(va), "m"(skip_to)
                     : "rax", "memory");
    return value;
}

static exo_handle_t cloned(void)
{
    static const struct exo_region regions[] = {
        {0x400000, 0x500000, EXO_CLONE_COPY, 0},
        {EXO_BOOT_STACK - 0x10000, EXO_BOOT_STACK, EXO_CLONE_COPY, 0},
        {EXO_BOOT_UPCALL_STACK - 0x4000, EXO_BOOT_UPCALL_STACK, EXO_CLONE_COPY, 0},
        {EXO_BOOT_VA, EXO_BOOT_VA + 4096, EXO_CLONE_SHARE, 0},
    };
    exo_handle_t as = (exo_handle_t)exo_aspace_create(boot->bank);
    uint64_t cursor = 0;
    int64_t err;

    do
        err = exo_aspace_clone(as, boot->bank, regions, 4, &cursor);
    while (err == -EXO_EAGAIN);
    return err ? 0 : as; // nothing is reported here: the copy would not know of it
}

void test_main(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    exo_handle_t as, full;
    int64_t err;

    upcalls_to(handler);
    is(buy(OLD, 1, RW), 1);
    *(volatile uint64_t *)OLD = 5;
    is(touch(OLD), 5);
    full = (exo_handle_t)exo_aspace_create(boot->bank); // the block's place is taken there
    is(exo_aspace_batch(full, boot->bank,
                        &(struct exo_map_op){
                            .kind = EXO_OP_BUY, .count = 1, .va = EXO_BOOT_CTX_VA, .rights = RW},
                        1),
       1);
    is(exo_env_set_aspace(0, full, 0), -EXO_EEXISTS);
    is(exo_cap_delete(full), 0);
    is(touch(OLD), 5);
    as = cloned();
    err = exo_env_set_aspace(
        0, as, 0); // what is on the stack from here on is the copy's: it was made before
    if (touch(OLD) == 5)
        put("# the old address space is still there\n");
    is(err, 0);
    is(fault_at, OLD);
    is(CTX->self, EXO_BOOT_CTX_VA);
    is(exo_cap_delete(boot->aspace), 0); // the old one: nothing holds it any more
    is(touch(OLD), -1);
    is(exo_cap_identify(as, &info), 0);
    is(info.type, EXO_CAP_ASPACE);
    is(exo_env_set_aspace(0, as, 0), 0); // the same again is nothing
}
