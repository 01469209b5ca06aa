// SPDX-License-Identifier: MIT
//
// POSIX calls with random numbers and arguments, in processes that may die of it: the parent, the
// servers and the machine go on, and the end of the machine finds nothing missing. As an ordinary
// user, and as root in a directory of its own, where only names below it are used and only the
// caller itself is signalled.
//
// Each process has a seed, said before it starts; MISUSE_SEED begins elsewhere, MISUSE_CALLS makes
// more calls (suite random).
#include "misuse.h"
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { CALLS = 1500 };

static uint64_t state;
static volatile uint64_t *progress;
static char arena[3 * 4096] __attribute__((aligned(4096)));

static uint64_t any(void)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state * 0x2545f4914f6cdd1dull >> 8;
}

static uint64_t argument(void)
{
    static const char *const names[] = {"f", "d", "d/g",    "l",    "p",
                                        ".", "",  "d/../f", "none", "d/."};
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     4,
                                     8,
                                     63,
                                     64,
                                     255,
                                     4095,
                                     4096,
                                     65536,
                                     1 << 20,
                                     1ull << 31,
                                     1ull << 32,
                                     1ull << 47,
                                     1ull << 63,
                                     UINT64_MAX,
                                     UINT64_MAX - 99,
                                     UINT64_MAX - 4095};
    switch (any() % 8) {
    case 0:
    case 1:
        return any() % 12; // a descriptor
    case 2:
        return (uint64_t)strcpy(arena + any() % 8000, names[any() % 10]);
    case 3:
        for (int i = 0; i < 24; i++)
            ((uint64_t *)arena)[any() % 512] = any() % 4 ? any() % 100 : any();
        return (uint64_t)arena + any() % 4 * 8;
    case 4:
        return (uint64_t)arena + sizeof arena - any() % 32; // its end may be anybody's
    case 5:
        return any();
    default:
        return edges[any() % (sizeof edges / sizeof *edges)];
    }
}

// What would end the test itself, or leave more processes than it can follow.
static int left_out(long nr)
{
    switch (nr) {
    case SYS_reboot:
    case SYS_fork:
    case SYS_vfork:
    case SYS_clone:
    case 435: // clone3
    case SYS_kill:
    case SYS_tkill:
    case SYS_tgkill:
    case SYS_rt_sigqueueinfo:
    case SYS_exit:
    case SYS_exit_group:
    case SYS_setsid:
    case SYS_chroot:
        return any() % 50 != 0 || nr == SYS_reboot || nr == SYS_kill || nr == SYS_tkill ||
               nr == SYS_tgkill || nr == SYS_rt_sigqueueinfo || (geteuid() == 0 && nr != SYS_exit);
    }
    return 0;
}

static void on_alarm(int sig)
{
    (void)sig;
}

static void calls(uint64_t seed, int n)
{
    struct sigaction sa = {.sa_handler = on_alarm};
    struct rlimit few = {24, 24};
    state = seed | 1;
    for (int i = 0; i < 20; i++)
        any();
    sigaction(SIGALRM, &sa, NULL);
    setrlimit(RLIMIT_NPROC, &few);
    for (int i = 0; i < n; i++) {
        long nr = any() % 16 ? (long)(any() % 335) : (long)any();
        if (left_out(nr))
            continue;
        if (any() % 1000 == 0)
            kill(getpid(), 1 + any() % 64);
        ++*progress;
        syscall(nr, argument(), argument(), argument(), argument(), argument(), argument());
    }
}

static void stage(void)
{
    SYS(mkdir("d", 0755));
    tap_put("f", 0644, "file");
    tap_put("d/g", 0644, "another");
    SYS(symlink("d", "l"));
    SYS(mkfifo("p", 0644));
}

// One process; killed when it makes no call for a while.
static int round_one(uint64_t seed, uid_t uid)
{
    int status, idle = 0;
    uint64_t seen = *progress;
    pid_t pid = SYS(fork());
    if (pid == 0) {
        setpgid(0, 0);
        if (uid)
            tap_drop(uid);
        for (int fd = 0; fd < 3; fd++)
            dup2(open("/dev/null", O_RDWR), fd);
        calls(seed, CALLS);
        _exit(0);
    }
    while (waitpid(pid, &status, WNOHANG) == 0) {
        tap_sleep(5);
        idle = *progress == seen ? idle + 1 : 0;
        seen = *progress;
        if (idle == 8)
            kill(pid, SIGALRM);
        if (idle == 30) {
            kill(pid, SIGCONT);
            kill(pid, SIGKILL);
        }
    }
    kill(-pid, SIGKILL);
    return status;
}

static void alive(void)
{
    char buf[8];
    int p[2], status;
    SYS(pipe(p));
    pid_t pid = SYS(fork());
    if (pid == 0)
        _exit(write(p[1], "alive", 5) == 5 ? 5 : 6);
    NEED(read(p[0], buf, 8) == 5 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
    close(p[0]), close(p[1]);
}

static void many(const char *name, uid_t uid, uint64_t seed, uint64_t least)
{
    uint64_t from = *progress;
    int rounds = 0, died = 0, most = 400 + (int)(least / 40);
    char dir[32];
    snprintf(dir, sizeof dir, "as-%u", (unsigned)uid);
    SYS(mkdir(dir, 0777));
    SYS(chdir(dir));
    stage();
    if (uid) {
        NEED(chown(".", uid, uid) == 0 && chown("d", uid, uid) == 0 && chown("f", uid, uid) == 0);
    }
    for (; *progress - from < least && rounds < most; rounds++) {
        if (rounds % 16 == 0)
            tap_say("# %s: seed %llu", name, (unsigned long long)seed);
        died += round_one(seed++, uid) != 0;
        tap_alarm();
        if (rounds % 8 == 0)
            alive();
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
    tap_say("# %s: %llu calls by %d processes, %d of them died of it", name,
            (unsigned long long)(*progress - from), rounds, died);
    OK(*progress - from >= least || rounds == most);
    alive();
    tap_get("/etc/passwd");
    chdir("..");
}

int main(void)
{
    tap_start();
    if (geteuid() != 0)
        tap_skip_all("needs root");
    tap_tmp();
    SYS(chmod(".", 0755));
    const char *seed = getenv("MISUSE_SEED"), *more = getenv("MISUSE_CALLS");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : 1,
             least = more ? strtoull(more, NULL, 10) : 16000;
    progress = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    NEED(progress != MAP_FAILED);
    many("a user", 1000, first, least);
    many("root", 0, first + 1000000, least / 4);
    return tap_done();
}
