// SPDX-License-Identifier: MIT
//
// The signal sets of /proc/self/status (proc(5)): pending, blocked, ignored and caught, as shells
// and debuggers read them.
#include "tap.h"

static unsigned long long set(const char *name)
{
    char text[8192];
    int fd = SYS(open("/proc/self/status", O_RDONLY));
    ssize_t n = SYS(read(fd, text, sizeof text - 1));
    text[n] = 0;
    close(fd);
    const char *line = strstr(text, name);
    return line ? strtoull(line + strlen(name), NULL, 16) : ~0ull;
}

static unsigned long long bit(int signal)
{
    return 1ull << (signal - 1);
}

static void handler(int signal)
{
    (void)signal;
}

int main(void)
{
    tap_start();
    EQ(set("\nSigBlk:\t"), 0);
    EQ(set("\nShdPnd:\t") & (bit(SIGUSR1) | bit(SIGTERM)), 0);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, handler);
    signal(SIGRTMAX, handler);
    unsigned long long ignored = set("\nSigIgn:\t"), caught = set("\nSigCgt:\t");
    OK(ignored & bit(SIGUSR1) && !(ignored & bit(SIGUSR2)));
    OK(caught & bit(SIGUSR2) && !(caught & bit(SIGUSR1)));
    OK(caught & bit(SIGRTMAX));

    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGTERM);
    sigaddset(&some, SIGUSR2);
    SYS(sigprocmask(SIG_BLOCK, &some, NULL));
    EQ(set("\nSigBlk:\t"), bit(SIGTERM) | bit(SIGUSR2));
    SYS(kill(getpid(), SIGTERM));
    EQ(set("\nShdPnd:\t") & (bit(SIGTERM) | bit(SIGUSR2)), bit(SIGTERM));
    signal(SIGTERM, SIG_IGN); // a pending signal that is ignored is gone
    EQ(set("\nShdPnd:\t") & bit(SIGTERM), 0);

    signal(SIGUSR2, SIG_DFL);
    EQ(set("\nSigCgt:\t") & bit(SIGUSR2), 0);
    return tap_done();
}
