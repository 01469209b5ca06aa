// SPDX-License-Identifier: MIT
//
// A hostile parent builds its child by hand, keeps every capability to it that it can, and lets it
// execute a set-id program: what it has kept is of an environment that is dead, and nothing of it
// reaches the program.
#include "misuse.h"

#define CODE  0x10000000ull
#define START 0x10100000ull
#define RW    (EXO_R_READ | EXO_R_WRITE)

static char dir[PATH_MAX], prog[PATH_MAX + 8], running[PATH_MAX + 16], done[PATH_MAX + 16];
static exo_handle_t env, as, copies[3];

// The set-id program: says that it runs, and stays until it is told to go.
static int privileged(const char *there)
{
    snprintf(running, sizeof running, "%s/running", there);
    snprintf(done, sizeof done, "%s/done", there);
    close(open(running, O_CREAT | O_WRONLY, 0644));
    for (int i = 0; i < 4000 && access(done, F_OK) != 0; i++)
        tap_sleep(5);
    return geteuid() == 0 && getuid() == 1000 ? 5 : 6;
}

static void put(uint64_t va, const void *bytes, size_t n)
{
    NEED(exo_env_memory(env, va, bytes, n, 1) == (int64_t)n);
}

// A child that makes one call, the set-id exec, and nothing else.
static pid_t child_make(void)
{
    static const unsigned char code[] = {0x0f, 0x05, 0x0f, 0x0b}; // syscall, ud2
    struct exo_map_op buy[] = {{EXO_OP_BUY, 1, CODE, 0, 0, RW, 0},
                               {EXO_OP_BUY, 2, START, 0, 0, RW, 0}};
    struct exo_map_op run = {EXO_OP_PROTECT, 1, CODE, 0, 0, EXO_R_READ | EXO_R_EXEC, 0};
    struct exo_regs regs = {.size = sizeof regs, .version = EXO_ABI_VERSION};

    struct {
        struct libos_start s;
        char strings[600];
    } block = {.s = {.size = sizeof block.s,
                     .version = 1,
                     .magic = LIBOS_START_MAGIC,
                     .mode = LIBOS_START_PATH}};

    for (int i = 0; i < 16; i++) // with less it would find no room for descriptors, and not run
        block.s.kept.limit[i][0] = block.s.kept.limit[i][1] = 1024 * 1024;
    block.s.argc = 3;
    block.s.fds = block.s.strings = sizeof block.s;
    block.s.strings_size = sizeof block - sizeof block.s;
    snprintf(block.strings, sizeof block.strings, "%s%cprog%creport%c%s", prog, 0, 0, 0, dir);
    long pid = ask(H_INIT, PROC_OP_FORK);
    NEED(pid > 0);
    env = own_ctx()->recv[0];
    as = own_ctx()->recv[1];
    for (int i = 0; i < 3; i++)
        copies[i] =
            (exo_handle_t)exo_cap_copy(i == 2 ? as : env, i == 2 ? RW : EXO_R_CONTROL, 0, 0);
    NEED(exo_aspace_batch(as, H_BANK, buy, 2) == 2);
    put(CODE, code, sizeof code);
    put(START, &block, sizeof block);
    NEED(exo_aspace_batch(as, H_BANK, &run, 1) == 1);
    NEED(exo_cap_copy(H_INIT, EXO_R_CALL, env, 2) == (int64_t)H_INIT);
    int64_t frames = exo_frames_alloc(H_BANK, 2, 0, 0);
    NEED(exo_ctx_create(env, H_BANK, (exo_handle_t)frames, LIBOS_CTX) == 0);
    NEED(exo_cap_delete((exo_handle_t)frames) == 0);
    regs.gpr.rip = CODE;
    regs.gpr.rsp = CODE + 4000;
    regs.gpr.rax = EXO_CALL_MARK | EXO_CALL_call;
    regs.gpr.rdi = H_INIT;
    regs.gpr.rdx = PROC_OP_SETID_EXEC;
    regs.gpr.r10 = sizeof block;
    regs.gpr.r8 = START;
    NEED(exo_ctx_set(env, 0, &regs) == 0 && ask(H_INIT, PROC_OP_START, pid) == 0);
    NEED(exo_ctx_bind(env, 0, H_SLICE) == 0);
    return (pid_t)pid;
}

static void old_handles(pid_t pid)
{
    struct exo_regs regs = {.size = sizeof regs, .version = EXO_ABI_VERSION};
    struct exo_cap_info info = {.size = sizeof info, .version = EXO_ABI_VERSION};
    uint64_t cursor = 0;
    ATTEMPT("a set-id program's memory, registers, table, time and life, by capabilities kept from "
            "before it began")
    for (int i = 0; i < 2; i++) {
        TRY(exo_cap_identify(copies[i], &info), 0);
        TRY_TRUE(info.env != record_of(pid)->env);
        TRY(exo_ctx_set(copies[i], 0, &regs), -EXO_EDEAD);
        TRY(exo_ctx_bind(copies[i], 0, H_SLICE), -EXO_EDEAD);
        TRY(exo_ctx_bind(copies[i], 0, 0), -EXO_EDEAD);
        TRY(exo_cap_copy(H_BANK, EXO_R_BUY, copies[i], 0), -EXO_EDEAD);
        TRY(exo_cap_clone_table(copies[i], 0, 0, &cursor, 0), -EXO_EDEAD);
        TRY_FAILS(exo_env_memory(copies[i], LIBOS_DATA, &cursor, 8, 0));
        TRY_FAILS(exo_env_memory(copies[i], LIBOS_DATA, &cursor, 8, 1));
        exo_env_kill(copies[i], 9, 0);
    }
    ATTEMPT("the address space kept from before: the set-id program is not in it")
    {
        struct exo_map_op op = {EXO_OP_UNMAP, 512, LIBOS_DATA, 0, 0, 0, 0};
        exo_aspace_batch(copies[2], H_BANK, &op, 1);
        op.va = LIBOS_TEXT;
        exo_aspace_batch(copies[2], H_BANK, &op, 1);
        TRY(exo_env_set_aspace(0, 0, 0), 0);
    }
    ATTEMPT("a set-id program undone as the embryo it was")
    {
        TRY(ask(H_INIT, PROC_OP_ABORT, pid), -ESRCH);
        TRY(ask(H_INIT, PROC_OP_START, pid), -ESRCH);
        TRY(ask(H_INIT, PROC_OP_SETPGID, pid, pid), -EACCES);
        TRY(ask(H_INIT, PROC_OP_SETID_CLAIM, 0, 0), -EPERM);
    }
}

static void right_to_signal(pid_t pid)
{
    struct exo_cap_info info = {.size = sizeof info, .version = EXO_ABI_VERSION};
    uint64_t word;
    ATTEMPT("the right to signal a set-id program one has started: it is that and no more")
    {
        TRY(ask(H_INIT, PROC_OP_PEER, pid), 0);
        exo_handle_t peer = own_ctx()->recv[0];
        TRY(exo_cap_identify(peer, &info), 0);
        TRY(info.rights, EXO_R_NOTIFY);
        TRY(exo_env_memory(peer, LIBOS_DATA, &word, 8, 0), -EXO_ERIGHTS);
        TRY(exo_env_kill(peer, 0, 0), -EXO_ERIGHTS);
        TRY(exo_cap_copy(H_BANK, EXO_R_BUY, peer, 0), -EXO_ERIGHTS);
        TRY(exo_cap_delete(peer), 0);
    }
}

int main(int argc, char **argv)
{
    int status;
    if (argc > 2)
        return privileged(argv[2]);
    tap_start();
    const char *self = tap_self(argv);
    if (geteuid() != 0)
        tap_skip_all("needs root");
    SYS(chdir("/tmp"));
    SYS(mkdir("setid-caps", 0777));
    SYS(chmod("setid-caps", 0777));
    SYS(chdir("setid-caps"));
    NEED(getcwd(dir, sizeof dir));
    snprintf(prog, sizeof prog, "%s/prog", dir);
    snprintf(running, sizeof running, "%s/running", dir);
    snprintf(done, sizeof done, "%s/done", dir);
    copy_to(self, prog);
    SYS(chmod(prog, 04755));
    as_user(1000);
    pid_t pid = child_make();
    while (access(running, F_OK) != 0) {
        if (waitpid(pid, &status, WNOHANG) == pid) {
            tap_say("# the child has ended with %x", status);
            EQ(status, 0);
            return tap_done();
        }
        tap_sleep(5);
    }
    EQ(record_of(pid)->euid, 0);
    old_handles(pid);
    right_to_signal(pid);
    tap_put(done, 0644, "");
    EQ(waitpid(pid, &status, 0), pid);
    EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 5);
    for (int i = 0; i < 3; i++)
        exo_cap_delete(copies[i]);
    exo_cap_delete(env);
    exo_cap_delete(as);
    return tap_done();
}
