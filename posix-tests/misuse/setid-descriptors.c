// SPDX-License-Identifier: MIT
//
// Descriptors and limits chosen to trap a set-id program: it finds 0, 1 and 2 taken, or does not
// run.
#include "misuse.h"
#include <sys/resource.h>

static int look(void)
{
    if (geteuid() != 0)
        return 3;
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) == -1)
            return 77;
    return 0;
}

// What the set-id program says, when the caller has closed the descriptors in `closed` and may have
// `limit`.
static int run(unsigned closed, rlim_t limit, int hog)
{
    int status;
    pid_t pid = SYS(fork());
    if (pid == 0) {
        struct rlimit l = {limit, limit};
        tap_drop(1000);
        for (int i = 0; hog && i < 60000 && open("hogged", O_RDONLY) >= 0; i++)
            ;
        for (int fd = 0; fd < 3; fd++)
            if (closed >> fd & 1)
                close(fd);
        if (limit != RLIM_INFINITY)
            setrlimit(RLIMIT_NOFILE, &l);
        execl("./prog", "prog", "look", (char *)NULL);
        _exit(90);
    }
    NEED(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int good(int status)
{
    return status != 77 && status != 3;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return look();
    tap_start();
    const char *self = tap_self(argv);
    if (geteuid() != 0)
        tap_skip_all("needs root");
    tap_tmp();
    SYS(chmod(".", 0755));
    tap_put("hogged", 0644, "x");
    copy_to(self, "prog");
    SYS(chown("prog", 0, 0));
    SYS(chmod("prog", 04755));
    ATTEMPT("a set-id program with descriptors 0 to 2 closed in every combination")
    for (unsigned closed = 0; closed < 8; closed++)
        TRY(run(closed, RLIM_INFINITY, 0), 0);
    ATTEMPT("a set-id program with 0 to 2 closed and a limit that keeps them so")
    for (rlim_t limit = 0; limit < 4; limit++)
        TRY_TRUE(good(run(7, limit, 0)));
    ATTEMPT("a set-id program with 0 to 2 closed and the user's share of open files used up")
    TRY_TRUE(good(run(7, RLIM_INFINITY, 1)));
    return tap_done();
}
