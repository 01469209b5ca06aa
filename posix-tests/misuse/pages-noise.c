// SPDX-License-Identifier: MIT
//
// Pages that processes share, overwritten with noise by one side while the other uses them:
// cursors, locks and bytes of a pipe, the offset and flags of an open file. The user gets errors or
// nonsense of its own, and all else is as it was.
#include "misuse.h"
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/time.h>

enum { ROUNDS = 3000 };

static uint64_t state = 88172645463325252ull;

static uint64_t any(void)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state * 0x2545f4914f6cdd1dull >> 8;
}

static uint64_t known[64]; // first frames of what was shared before: standard output and the like
static unsigned nknown;

// The windows of FRAMES that this process may write and that have this length, but for those known.
static unsigned windows(uint64_t length, volatile uint32_t **page, uint64_t *first)
{
    unsigned n = 0;
    for (uint64_t i = 8; i < 200 * 40 && n < 64; i++) {
        struct exo_cap_info info = {.size = sizeof info, .version = EXO_ABI_VERSION};
        exo_handle_t h = i % 200 | (i / 200 + 1) << EXO_HANDLE_BITS;
        if (exo_cap_identify(h, &info) || info.type != EXO_CAP_FRAMES || !info.window_va ||
            info.length != length || !(info.rights & EXO_R_WRITE))
            continue;
        bool old = false;
        for (unsigned k = 0; k < nknown; k++)
            old |= known[k] == info.first_frame;
        if (old)
            continue;
        first[n] = info.first_frame;
        page[n++] = (volatile uint32_t *)info.window_va;
    }
    return n;
}

// A pipe's end is mapped when it is first used, be it for its number.
static void use(int fd)
{
    struct stat st;
    fstat(fd, &st);
}

// What is shared by now is left alone: a first fork has moved every open file's state to its page.
static void know(void)
{
    volatile uint32_t *page[64];
    pid_t pid = SYS(fork());
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    for (int fd = 0; fd < 32; fd++)
        use(fd);
    nknown = windows(1, page, known);
    nknown += windows(17, page, known + nknown);
}

static void noise_for_ever(uint64_t length)
{
    volatile uint32_t *page[64];
    uint64_t first[64];
    unsigned n = windows(length, page, first);
    if (!n)
        _exit(3);
    for (uint64_t i = 0;; i++) {
        page[any() % n][any() % 16] = any() & 1 ? (uint32_t)any() : (uint32_t)(any() % 70000);
        if (i % 16 == 0)
            exo_ctx_yield(0, 0, 0);
    }
}

static int sensible(ssize_t n, size_t most)
{
    return n < 0 ? errno == EIO || errno == EAGAIN || errno == EINTR || errno == EPIPE ||
                       errno == EINVAL || errno == EFBIG || errno == EBADF || errno == ENXIO
                 : (size_t)n <= most;
}

static void on_alarm(int sig)
{
    (void)sig;
}

// The flags are shared as well: who is made to wait is interrupted.
static void interrupted(bool on)
{
    struct sigaction sa = {.sa_handler = on_alarm};
    struct itimerval often = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
    sigaction(SIGALRM, &sa, NULL);
    setitimer(ITIMER_REAL, on ? &often : &never, NULL);
}

static int end_of(pid_t pid)
{
    int status;
    kill(pid, SIGKILL);
    NEED(waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void pipes(int reader)
{
    char buf[5000];
    int p[2], other[2], odd = 0;
    SYS(pipe(p));
    SYS(pipe(other));
    for (int i = 0; i < 2; i++)
        use(p[i]), use(other[i]);
    ATTEMPT(reader ? "a pipe's writers' pages overwritten while it is read"
                   : "a pipe's readers' page overwritten while it is written")
    {
        pid_t pid = tap_fork();
        if (pid == 0)
            noise_for_ever(reader ? 17 : 1);
        fcntl(p[!reader], F_SETFL, O_NONBLOCK);
        signal(SIGPIPE, SIG_IGN);
        memset(buf, 'x', sizeof buf);
        interrupted(true);
        for (int i = 0; i < ROUNDS; i++) {
            size_t n = any() % sizeof buf;
            ssize_t r = reader ? read(p[0], buf, n) : write(p[1], buf, n);
            odd += !sensible(r, n);
            if (i % 16 == 0)
                exo_ctx_yield(0, 0, 0);
        }
        interrupted(false);
        TRY(odd, 0);
        TRY(end_of(pid), SIGKILL);
        TRY_TRUE(sensible(write(other[1], "whole", 5), 5)); // the child had these too
        TRY_TRUE(sensible(read(other[0], buf, 5), 5));
    }
    for (int i = 0; i < 2; i++)
        close(p[i]), close(other[i]);
}

static void files(void)
{
    char buf[300];
    int odd = 0, fd = SYS(open("file", O_RDWR | O_CREAT, 0600));
    NEED(write(fd, "begin", 5) == 5);
    ATTEMPT("an open file's offset and flags overwritten while it is read, written and searched")
    {
        pid_t pid = tap_fork();
        if (pid == 0)
            noise_for_ever(1);
        interrupted(true);
        for (int i = 0; i < ROUNDS; i++) {
            size_t n = any() % sizeof buf;
            ssize_t r = i % 3 == 0     ? read(fd, buf, n)
                        : i % 3 == 1   ? lseek(fd, 0, SEEK_CUR) >= 0
                        : i % 300 == 2 ? write(fd, buf, 1)
                                       : 0;
            odd += !sensible(r, n ? n : 1);
            if (i % 16 == 0)
                exo_ctx_yield(0, 0, 0);
        }
        interrupted(false);
        TRY(odd, 0);
        TRY(end_of(pid), SIGKILL);
    }
    close(fd);
    ATTEMPT("afterwards files and pipes as any other")
    {
        int p[2];
        SYS(pipe(p));
        TRY(write(p[1], "abc", 3), 3);
        TRY(read(p[0], buf, 9), 3);
        close(p[0]), close(p[1]);
        tap_put("next", 0600, "whole");
        TRY(strcmp(tap_get("next"), "whole"), 0);
    }
}

int main(void)
{
    tap_start();
    as_user(1000);
    SYS(chdir("/tmp"));
    tap_tmp();
    know();
    pipes(1);
    pipes(0);
    files();
    return tap_done();
}
