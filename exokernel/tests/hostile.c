// SPDX-License-Identifier: MIT
// Whatever a caller passes or writes into its block, the kernel answers with an error or ends that
// environment alone.
#include "test.h"

static struct peer peer;

static const uint64_t bad[] = {0,
                               1,
                               0xfff,
                               EXO_USER_BASE - 1,
                               EXO_USER_END - 8,
                               EXO_USER_END,
                               EXO_USER_END - 4096,
                               1ull << 63,
                               EXO_DIRECT_BASE,
                               EXO_DIRECT_BASE + 0x100000,
                               EXO_INFO_BASE,
                               EXO_KERNEL_BASE,
                               EXO_KERNEL_BASE + 0x108000,
                               UINT64_MAX - 7,
                               UINT64_MAX,
                               0x7fffffffffffffff};
#define BADS (sizeof(bad) / sizeof(bad[0]))

static void pointers(void)
{
    uint64_t wrong = 0;

    for (unsigned i = 0; i < BADS; i++) {
        const volatile void *p = (const volatile void *)bad[i];

        wrong += exo_machine_log(boot->machine, p, 100) != -EXO_EFAULT;
        wrong += exo_cap_identify(boot->env, p) != -EXO_EFAULT;
        wrong += exo_wait(p, 3, 0) != -EXO_EFAULT;
        wrong += exo_machine_check(boot->machine, p, 0) != -EXO_EFAULT;
        wrong += exo_machine_trace(boot->machine, p, 64, p) != -EXO_EFAULT;
        wrong += exo_aspace_batch(0, boot->bank, p, 4) != -EXO_EFAULT;
        wrong += exo_env_memory(0, bad[i], p, 16, 0) >= 0;
        wrong += exo_env_memory(0, EXO_BOOT_VA, p, 16, 0) != -EXO_EFAULT;
        wrong += exo_wake(bad[i] & ~3ull, 1) != -EXO_EFAULT;
        wrong += exo_port_string(boot->ioport, 0x80, p, 4096, 1) != -EXO_EFAULT;
        wrong += exo_port_string(boot->ioport, 0x80, p, 4096, 0) != -EXO_EFAULT;
        if (wrong) {
            put("# pointer %lx\n", bad[i]);
            break;
        }
    }
    is(wrong, 0);
    is(exo_machine_log(boot->machine, "x", 4097), -EXO_ELIMIT);
    is(exo_machine_log(boot->machine, "x", UINT64_MAX), -EXO_ELIMIT);
    is(exo_ctx_bases(1ull << 47, EXO_KEEP), -EXO_EINVAL);
    is(exo_ctx_bases(EXO_KEEP, EXO_KERNEL_BASE), -EXO_EINVAL);
}

// Every call with arguments that make no sense, from a context that may do everything: no answer
// but an error or a handle that can be deleted, and no effect that the counts at the end would
// show. Calls that end or stop us are left out.
static void nonsense(void)
{
    uint64_t state = 88172645463325252ull, args[6];
    static const uint64_t spice[] = {0,
                                     1,
                                     2,
                                     7,
                                     64,
                                     4096,
                                     1ull << 20,
                                     1ull << 32,
                                     UINT64_MAX,
                                     EXO_USER_END,
                                     EXO_KERNEL_BASE,
                                     0x100001,
                                     0x100002,
                                     0x400000};

    for (unsigned i = 0; i < 30000; i++) {
        uint32_t nr;
        int64_t result;

        for (unsigned j = 0; j < 6; j++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            args[j] = spice[state % 14];
        }
        nr = state >> 40 & 0x7f;
        if (nr == EXO_CALL_env_exit || nr == EXO_CALL_env_kill || nr == EXO_CALL_ctx_bind ||
            nr == EXO_CALL_wait || nr == EXO_CALL_machine_power || nr == EXO_CALL_port_io ||
            nr == EXO_CALL_machine_log || nr == EXO_CALL_call || nr == EXO_CALL_reply_wait ||
            nr == EXO_CALL_port_string || nr == EXO_CALL_env_set_aspace ||
            nr == EXO_CALL_cap_delete || nr == EXO_CALL_cap_revoke || nr == EXO_CALL_bank_fold ||
            nr == EXO_CALL_env_memory || nr == EXO_CALL_ctx_bases || nr == EXO_CALL_device_config ||
            nr == EXO_CALL_irq_bind || nr == EXO_CALL_aspace_batch || nr == EXO_CALL_ctx_alarm ||
            nr == EXO_CALL_env_notify)
            continue;
        result = exo_syscall6(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
        if (result >= 1ll << 20)
            exo_cap_delete((exo_handle_t)result);
    }
    ok(true);
}

static void block_lies(void *arg)
{
    volatile struct exo_ctx *me = ctx_self();

    switch ((uint64_t)arg) {
    case 0:
        me->depth = 77;
        break;
    case 1:
        me->upcall_entry = EXO_KERNEL_BASE + 0x108000;
        break;
    case 2:
        me->upcall_entry = 1ull << 47;
        break;
    case 3:
        me->upcall_stack_top =
            EXO_KERNEL_BASE + 0x108000; // the handler faults on its stack until depth is used up
        break;
    case 4:
        me->upcall_stack_top = 0;
        me->upcall_stack_size = UINT64_MAX;
        break;
    case 5:
        me->depth = UINT32_MAX;
        break;
    case 6: // rsp itself is absurd
        __asm__ volatile("movabs $0x8000000000000000, %rsp\n\tud2");
        break;
    case 7: // RFLAGS that only the kernel may choose; then a lost upcall
        __asm__ volatile("pushfq\n\torq $0x43000, (%rsp)\n\tpopfq");
        me->upcall_entry = 0;
        break;
    }
    *(volatile char *)8 = 1;
    for (;;)
        ;
}

static void ignore(struct exo_save *save)
{
    (void)save;
    *(volatile char *)8 = 1; // faults again, until it is dead
}

// A SYSCALL in the last bytes of the user half would have a return address that SYSRET chokes on in
// the kernel: that page is never mapped, for pages and blocks alike.
static void edge(void)
{
    exo_handle_t block = (exo_handle_t)exo_frames_alloc(boot->bank, 2, 0, 0);

    is(buy(EXO_USER_END - EXO_PAGE_SIZE, 1, RW), -EXO_EINVAL);
    is(buy(EXO_USER_END - 2 * EXO_PAGE_SIZE, 2, RW), -EXO_EINVAL);
    is(exo_ctx_create(0, boot->bank, block, EXO_USER_END - 2 * EXO_PAGE_SIZE), -EXO_EINVAL);
    is(exo_cap_delete(block), 0);
}

void test_main(void)
{
    upcalls_to(ignore);
    CTX->upcall_entry = 0;
    pointers();
    nonsense();
    for (uint64_t i = 0; i < 8; i++) {
        peer_start(&peer, 0, true, 0, 0, block_lies, (void *)i);
        for (unsigned n = 0; EXO_ENVS[EXO_ENV_INDEX(peer.id)].state != EXO_ENV_DEAD && n < 200; n++)
            exo_wait(0, 0, now() + 5000000);
        is(EXO_ENVS[EXO_ENV_INDEX(peer.id)].reason, EXO_DEATH_UPCALL);
        peer_end(&peer);
    }
    edge();
}
