// SPDX-License-Identifier: MIT
//
// Other processes' memory, the pages everybody is shown, and frames with somebody's past.
#include "misuse.h"
#include <sys/mman.h>

static long protect(uint64_t va, uint32_t rights)
{
    struct exo_map_op op = {EXO_OP_PROTECT, 1, va, 0, 0, rights, 0};
    return (long)exo_aspace_batch(0, H_BANK, &op, 1);
}

static void shown(void)
{
    ATTEMPT("process records, the library OS's text and a file's node made writable")
    {
        TRY_FAILS(protect(LIBOS_PROCTAB, EXO_R_READ | EXO_R_WRITE));
        TRY_FAILS(protect(LIBOS_TEXT, EXO_R_READ | EXO_R_WRITE));
        TRY_FAILS(exo_env_memory(0, LIBOS_PROCTAB, "root", 4, 1));
        TRY_FAILS(exo_env_memory(0, LIBOS_TEXT, "root", 4, 1));
        struct exo_map_op op = {EXO_OP_COW_BREAK, 1, LIBOS_PROCTAB, 0, 0, 0, 0};
        TRY_FAILS(exo_aspace_batch(0, H_BANK, &op, 1));
        TRY_FAILS(exo_segment_clear(H_PROCTAB, 0, 1));
        TRY_FAILS(exo_segment_clear(H_LIBOS, 0, 1));
        TRY_FAILS(exo_cap_revoke(H_PROCTAB));
    }
    ATTEMPT("process records mapped once more, for writing")
    {
        struct exo_map_op op = {
            EXO_OP_MAP, 1, 0x480000000000, H_PROCTAB, 0, EXO_R_READ | EXO_R_WRITE, 0};
        TRY_FAILS(exo_aspace_batch(0, H_BANK, &op, 1));
        int64_t copy = exo_cap_copy(H_PROCTAB, EXO_R_READ, 0, 0);
        op.cap = (uint64_t)copy;
        TRY(exo_aspace_batch(0, H_BANK, &op, 1), -EXO_ERIGHTS);
        TRY(exo_cap_delete((exo_handle_t)copy), 0);
    }
    ATTEMPT("a store into a process record: a fault of one's own")
    {
        pid_t pid = fork();
        if (pid == 0) {
            signal(SIGSEGV, SIG_DFL);
            *(volatile uint32_t *)&record_of(getpid())->euid = 0;
            _exit(0);
        }
        int status;
        TRY(waitpid(pid, &status, 0), pid);
        TRY(WTERMSIG(status), SIGSEGV);
    }
}

static void frames(void)
{
    ATTEMPT("every frame that somebody has, bought by its number")
    {
        uint64_t got = 0;
        for (uint64_t fn = 0; fn < EXO_INFO->frames; fn++)
            if (EXO_FRAMES[fn].kind != EXO_FRAME_FREE) {
                int64_t r = exo_frames_alloc(H_BANK, 1, EXO_FRAMES_AT, fn);
                got += r != -EXO_EBUSY && EXO_FRAMES[fn].kind != EXO_FRAME_RUN;
                if (r > 0)
                    exo_cap_delete((exo_handle_t)r);
            }
        TRY(got, 0);
    }
    ATTEMPT("frames searched for what their last owner left in them")
    {
        pid_t pid = fork();
        if (pid == 0) { // fills memory and goes
            char *p =
                mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (p != MAP_FAILED)
                memset(p, 0x5a, 4 << 20);
            _exit(0);
        }
        int status;
        TRY(waitpid(pid, &status, 0), pid);
        unsigned char *q =
            mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        unsigned dirty = 0;
        for (unsigned i = 0; i < 8u << 20; i += 64)
            dirty += q[i] != 0;
        TRY(dirty, 0);
        munmap(q, 8 << 20);
        int64_t run = exo_frames_alloc(H_BANK, 512, 0, 0);
        struct exo_map_op op = {EXO_OP_MAP, 512, 0x480000000000, (uint64_t)run, 0, EXO_R_READ, 0};
        TRY(exo_aspace_batch(0, H_BANK, &op, 1), 1);
        for (unsigned i = 0; i < 512 * EXO_PAGE_SIZE; i += 64)
            dirty += ((unsigned char *)0x480000000000)[i] != 0;
        TRY(dirty, 0);
        TRY(exo_cap_delete((exo_handle_t)run), 0);
    }
}

static void peers(void)
{
    int ready[2], status;
    char byte;
    SYS(pipe(ready));
    pid_t pid = tap_fork();
    if (pid == 0) {
        while (read(ready[0], &byte, 1) == 1)
            ;
        _exit(0);
    }
    long r = ask(H_INIT, PROC_OP_PEER, pid);
    exo_handle_t peer = own_ctx()->recv[0];
    EQ(r, 0);
    ATTEMPT("the right to notify a child, used to read, write, stop, end or fill it")
    {
        struct exo_regs regs = {.size = sizeof regs, .version = EXO_ABI_VERSION};
        uint64_t word, cursor = 0;
        TRY(exo_env_memory(peer, LIBOS_PROCTAB, &word, 8, 0), -EXO_ERIGHTS);
        TRY(exo_env_memory(peer, (uint64_t)&byte, &word, 1, 1), -EXO_ERIGHTS);
        TRY(exo_ctx_get(peer, 0, &regs), -EXO_ERIGHTS);
        TRY(exo_ctx_set(peer, 0, &regs), -EXO_ERIGHTS);
        TRY(exo_ctx_bind(peer, 0, 0), -EXO_ERIGHTS);
        TRY(exo_env_kill(peer, 0, 0), -EXO_ERIGHTS);
        TRY(exo_cap_copy(H_BANK, EXO_R_BUY, peer, 0), -EXO_ERIGHTS);
        TRY(exo_cap_clone_table(peer, 0, 0, &cursor, 0), -EXO_ERIGHTS);
        TRY(exo_env_set_aspace(peer, 0, H_BANK), -EXO_ERIGHTS);
        TRY(exo_cap_derive(peer, EXO_R_CONTROL, 0, 0, 0), -EXO_ERIGHTS);
    }
    close(ready[0]);
    close(ready[1]);
    waitpid(pid, &status, 0);
    exo_cap_delete(peer);
}

// init takes the right back when the process becomes somebody else.
static void peer_changes(void)
{
    int go[2], done[2], status;
    char byte;
    SYS(pipe(go));
    SYS(pipe(done));
    pid_t pid = tap_fork();
    if (pid == 0) {
        NEED(read(go[0], &byte, 1) == 1 && setresuid(1000, 2000, 2000) == 0 &&
             write(done[1], "x", 1) == 1);
        NEED(read(go[0], &byte, 1) == 1);
        _exit(0);
    }
    EQ(ask(H_INIT, PROC_OP_PEER, pid), 0);
    exo_handle_t peer = own_ctx()->recv[0];
    EQ(exo_env_notify(peer, 0), 0);
    NEED(write(go[1], "x", 1) == 1 && read(done[0], &byte, 1) == 1);
    ATTEMPT("the right to notify a process that has become somebody else")
    TRY(exo_env_notify(peer, 1ull << 8), -EXO_EBADHANDLE);
    NEED(write(go[1], "x", 1) == 1);
    EQ(waitpid(pid, &status, 0), pid);
    for (int i = 0; i < 2; i++)
        close(go[i]), close(done[i]);
}

// And when the holder does, and what it has passed on to a child.
static void holder_changes(void)
{
    pid_t victim = victim_start(), pid = tap_fork();
    int status;
    if (pid == 0) {
        EQ(ask(H_INIT, PROC_OP_PEER, victim), 0);
        exo_handle_t peer = own_ctx()->recv[0];
        int64_t copy = exo_cap_copy(peer, EXO_R_NOTIFY, 0, 0);
        int64_t child = exo_cap_derive(peer, EXO_R_NOTIFY, 0, 0, 0);
        EQ(exo_env_notify(peer, 0), 0);
        NEED(copy > 0 && child > 0 && setresuid(1000, 1000, 1000) == 0);
        ATTEMPT("the right to notify root's process, its copies and children kept by a user")
        {
            TRY(exo_env_notify(peer, 1ull << 8), -EXO_EBADHANDLE);
            TRY(exo_env_notify((exo_handle_t)copy, 1ull << 8), -EXO_EBADHANDLE);
            TRY(exo_env_notify((exo_handle_t)child, 1ull << 8), -EXO_EBADHANDLE);
        }
        _exit(tap_failures != 0);
    }
    EQ(waitpid(pid, &status, 0), pid);
    EQ(status, 0);
    kill(victim, SIGKILL);
    EQ(waitpid(victim, &status, 0), victim);
}

int main(void)
{
    tap_start();
    if (geteuid() == 0) {
        peer_changes();
        holder_changes();
    }
    shown();
    frames();
    peers();
    return tap_done();
}
