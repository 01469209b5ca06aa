// SPDX-License-Identifier: MIT
//
// Stop signals: pending stops fall when CONT is sent and the other way round; CONT continues also
// when blocked or ignored; a stopped process runs nothing; SIGSTOP cannot be blocked.
#include "tap.h"
#include <sys/mman.h>

int main(void)
{
    int status;
    sigset_t set, all;
    tap_start();
    volatile int *ticks =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    NEED(ticks != MAP_FAILED);
    pid_t pid = tap_fork();
    if (pid == 0) {
        signal(SIGCONT, SIG_IGN);
        sigfillset(&all);
        sigdelset(&all, SIGALRM);
        sigprocmask(SIG_SETMASK, &all, NULL);
        for (;;)
            ++*ticks;
    }
    while (*ticks == 0)
        tap_sleep(1);
    SYS(kill(pid, SIGSTOP));
    EQ(waitpid(pid, &status, WUNTRACED), pid);
    OK(WIFSTOPPED(status));
    int before = *ticks;
    tap_sleep(30);
    EQ(*ticks, before);
    SYS(kill(pid, SIGCONT));
    EQ(waitpid(pid, &status, WCONTINUED), pid);
    while (*ticks == before)
        tap_sleep(1);
    OK(*ticks != before);
    SYS(kill(pid, SIGKILL));
    EQ(tap_wait(pid), 128 + SIGKILL);
    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    sigaddset(&set, SIGCONT);
    SYS(sigprocmask(SIG_BLOCK, &set, NULL));
    raise(SIGTSTP);
    sigpending(&all);
    EQ(sigismember(&all, SIGTSTP), 1);
    kill(getpid(), SIGCONT);
    sigpending(&all);
    EQ(sigismember(&all, SIGTSTP), 0);
    EQ(sigismember(&all, SIGCONT), 1);
    raise(SIGTSTP);
    sigpending(&all);
    EQ(sigismember(&all, SIGCONT), 0);
    kill(getpid(), SIGCONT);
    EQ(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
    return tap_done();
}
