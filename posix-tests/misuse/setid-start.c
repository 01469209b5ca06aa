// SPDX-License-Identifier: MIT
//
// The start of a set-id program, asked for raw with every kind of nonsense: init answers and goes
// on, and so does the caller.
#include "misuse.h"
#include <sys/mman.h>

static struct libos_start *s;
static char *area; // three pages, the last not there

static void sound(void)
{
    memset(area, 0, 2 * EXO_PAGE_SIZE);
    s = (struct libos_start *)area;
    *s = (struct libos_start){
        .size = sizeof *s, .version = 1, .magic = LIBOS_START_MAGIC, .mode = LIBOS_START_PATH};
    s->argc = 1;
    s->fds = sizeof *s;
    s->strings = sizeof *s;
    s->strings_size = 64;
    strcpy(area + sizeof *s, "/nonexistent");
}

// Every answer here is a refusal: if one were granted this process would be gone.
static long begin(uint64_t bytes, const void *at)
{
    return ask(H_INIT, PROC_OP_SETID_EXEC, bytes, at);
}

static void places(void)
{
    uint64_t bytes = sizeof *s + 64;
    ATTEMPT("a start block that is nowhere, the kernel's, or half there")
    {
        TRY(begin(bytes, NULL), -EAGAIN);
        TRY(begin(bytes, (void *)EXO_KERNEL_BASE), -EAGAIN);
        TRY(begin(bytes, (void *)EXO_INFO_BASE), -EAGAIN);
        TRY(begin(bytes, (void *)UINT64_MAX), -EAGAIN);
        TRY(begin(bytes, area + 2 * EXO_PAGE_SIZE), -EAGAIN);
        TRY(begin(2 * EXO_PAGE_SIZE + 1, area), -EAGAIN);
    }
    ATTEMPT("a start block of no length, too short a one, one without end")
    {
        TRY(begin(0, area), -EAGAIN);
        TRY(begin(sizeof *s - 1, area), -EAGAIN);
        TRY(begin(257 * EXO_PAGE_SIZE, area), -EAGAIN);
        TRY(begin(UINT64_MAX, area), -EAGAIN);
        TRY(begin(1ull << 40, area), -EAGAIN);
    }
}

#define FIELD(change)                                                                              \
    do {                                                                                           \
        sound();                                                                                   \
        change;                                                                                    \
        TRY(begin(sizeof *s + 64, area), -EAGAIN);                                                 \
    } while (0)

static void fields(void)
{
    ATTEMPT("a start block wrong in each field")
    {
        FIELD(s->magic = 1);
        FIELD(s->size = 8);
        FIELD(s->size = UINT32_MAX);
        FIELD(s->strings = 0xfffffff0);
        FIELD(s->strings_size = 1);
        FIELD(s->strings_size = UINT32_MAX);
        FIELD(s->nfds = 1);
        FIELD(s->nfds = LIBOS_START_FDS_MAX + 1);
        FIELD(s->nfds = UINT32_MAX);
        FIELD(s->fds = 0);
        FIELD(s->fds = sizeof *s + 4);
        FIELD(s->fds = 0xfffffff8);
        FIELD(s->argc = 1000);
        FIELD((s->argc = UINT32_MAX, s->envc = UINT32_MAX));
        FIELD(s->envc = 0x80000000);
        FIELD(memset(area + s->strings, 'x', 64));
    }
}

static long give(uint64_t slot, uint64_t places_, unsigned caps)
{
    for (unsigned i = 0; i < caps; i++)
        own_ctx()->send[i] = (struct exo_send){H_FSD, EXO_R_CALL, EXO_SEND_COPY};
    return ask_all(H_INIT, EXO_META(0, caps), PROC_OP_SETID_GIVE, slot, places_, 0, 0, 0);
}

static void gifts(void)
{
    ATTEMPT("descriptors given out of order, beyond their number, for places that came empty")
    {
        TRY(give(3, 1, 1), -EINVAL);
        TRY(give(UINT64_MAX, 1, 1), -EINVAL);
        TRY(give(0, 15, 0), 0);
        TRY(give(0, UINT64_MAX, 4), 0);
        TRY(give(2, 1, 1), -EINVAL);
        TRY(give(1, 0, 4), 0);
        for (int i = 2; i < LIBOS_START_FDS_MAX; i++)
            TRY(give((uint64_t)i, 3, 2), 0);
        TRY(give(LIBOS_START_FDS_MAX, 1, 1), -EINVAL);
    }
    ATTEMPT("more descriptors given than a user may have lying about: another user's exec goes on")
    {
        pid_t pid = fork();
        if (pid == 0) {
            int r = 0, i = 0;
            while (i < 2000 && (r = (int)give((uint64_t)i, 3, 2)) == 0)
                i++;
            _exit(r == -EAGAIN && i < 200 ? 0 : 1);
        }
        int status;
        waitpid(pid, &status, 0);
        TRY(status, 0);
    }
    TRY(give(0, 0, 0), 0); // gives them back
}

int main(void)
{
    tap_start();
    as_user(1000);
    area =
        mmap(NULL, 3 * EXO_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(area != MAP_FAILED && munmap(area + 2 * EXO_PAGE_SIZE, EXO_PAGE_SIZE) == 0);
    sound();
    places();
    fields();
    gifts();
    ATTEMPT("after all that a process as any other")
    {
        pid_t pid = fork();
        if (pid == 0)
            _exit(7);
        int status;
        TRY(waitpid(pid, &status, 0), pid);
        TRY(WEXITSTATUS(status), 7);
    }
    return tap_done();
}
