// SPDX-License-Identifier: MIT
//
// What a process might leave behind to live on without a name: environments and contexts of its own
// making, which no kill reaches; and what might outlast a stop.
#include "misuse.h"
#include <sys/mman.h>

static void environments(void)
{
    ATTEMPT("an environment of one's own, which nobody could end")
    {
        TRY(exo_env_create(H_BANK, 0, 0, 0), -EXO_ERIGHTS);
        int64_t as = exo_aspace_create(H_BANK);
        TRY_TRUE(as > 0);
        TRY(exo_env_create(H_BANK, (exo_handle_t)as, 0, 0), -EXO_ERIGHTS);
        TRY(exo_cap_delete((exo_handle_t)as), 0);
    }
    ATTEMPT("a bank of one's own, time of one's own")
    {
        TRY(exo_bank_split(H_BANK, 10), -EXO_ERIGHTS);
        TRY(exo_bank_fold(H_BANK), -EXO_ERIGHTS);
        TRY(exo_bank_destroy(H_BANK), -EXO_ERIGHTS);
        TRY(exo_slice_split(H_SLICE, 1), -EXO_ERIGHTS);
    }
}

static volatile uint64_t *turns; // shared with the child

static void spin(void)
{
    for (;;)
        ++*turns;
}

// A second context of this process, that runs beside the first.
static int second_context(void)
{
    struct exo_regs regs = {.size = sizeof regs, .version = EXO_ABI_VERSION};
    char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(stack, 0, 65536);
    int64_t block = exo_frames_alloc(H_BANK, 2, 0, 0);
    int64_t index = exo_ctx_create(0, H_BANK, (exo_handle_t)block, 0x500000000000);
    regs.gpr.rip = (uint64_t)spin;
    regs.gpr.rsp = (uint64_t)stack + 65536 - 8;
    return index < 0 || exo_ctx_set(0, (uint64_t)index, &regs) ||
           exo_ctx_bind(0, (uint64_t)index, H_SLICE);
}

static uint64_t turns_in(int ms)
{
    uint64_t from = *turns;
    tap_sleep(ms);
    return *turns - from;
}

static void stopped(void)
{
    int status;
    turns = mmap(NULL, EXO_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = tap_fork();
    if (pid == 0) {
        *turns = 1; // there before it is needed: the second context has nobody to turn to
        if (second_context())
            _exit(3);
        own_ctx()->mask = 1; // and the first looks at no signal
        for (;;)
            exo_wait(0, 0, exo_clock_ns() + 1000000);
    }
    while (turns_in(10) == 0)
        NEED(waitpid(pid, &status, WNOHANG) == 0);
    ATTEMPT("a stop outlasted by a second context")
    {
        kill(pid, SIGSTOP);
        TRY(waitpid(pid, &status, WUNTRACED), pid);
        TRY_TRUE(WIFSTOPPED(status));
        TRY(turns_in(60), 0);
        kill(pid, SIGCONT);
        for (int i = 0; i < 500 && turns_in(10) == 0; i++)
            ;
        TRY_TRUE(turns_in(50) > 0);
        attempt_before = world_sum(); // continued, and not yet reported
    }
    ATTEMPT("a kill outlived by a second context")
    {
        kill(pid, SIGKILL);
        TRY(waitpid(pid, &status, 0), pid);
        TRY(WTERMSIG(status), SIGKILL);
        TRY(turns_in(60), 0);
        attempt_before = world_sum();
    }
}

int main(void)
{
    tap_start();
    as_user(1000);
    environments();
    stopped();
    return tap_done();
}
