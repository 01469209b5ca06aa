// SPDX-License-Identifier: MIT
// What a research app does when frames are wanted back (libos_on_revoke), in a job of its own,
// whose bank it may split. TAP.
#include <exo/libos.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK 16 // frames in each of the runs that can be given back
#define RUNS  8

static int number, failed;
static exo_handle_t bank, run[RUNS];
static volatile int called, runs;
static volatile uint64_t owed;

static void ok(bool good, const char *what)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++number, what);
    failed |= !good;
}

static void give_back(const struct exo_bank_debt *debt)
{
    called++;
    owed = debt->frames;
    for (uint64_t got = 0; got < debt->frames && runs; got += BLOCK)
        exo_cap_delete(run[--runs]);
}

static void ignore(const struct exo_bank_debt *debt)
{
    (void)debt;
    called++;
}

static void buy(void)
{
    for (runs = 0; runs < RUNS; runs++)
        run[runs] = (exo_handle_t)exo_frames_alloc(bank, BLOCK, 0, 0);
}

static void on_alarm(int signo)
{
    (void)signo;
    exo_bank_reclaim(bank, 60, 0, 0);
}

static void complies(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPWR);
    buy();
    ok(libos_on_revoke(bank, give_back) == 0, "keeps the bank");
    ok(exo_bank_reclaim(bank, 140, 0, 0) == 0 && !called, "has the room: nobody is asked");
    ok(exo_bank_reclaim(bank, 100, 0, 0) == -EXO_EBUSY, "owes");
    ok(called == 1 && owed == 36, "is asked at once, for the rest");
    ok(exo_bank_reclaim(bank, 100, 0, 0) == 0, "has given enough");
    sigprocmask(SIG_BLOCK, &set, NULL);
    ok(exo_bank_reclaim(bank, 80, 0, 0) == -EXO_EBUSY && called == 1, "not asked while blocked");
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    ok(called == 2, "asked when unblocked");
    ok(exo_bank_reclaim(bank, 80, 0, 0) == 0, "has given enough again");
    // In the middle of a call that sleeps, and inside another handler.
    signal(SIGALRM, on_alarm);
    alarm(1);
    int slept = usleep(3000000);
    ok(slept == -1 && called == 3, "asked inside another handler, while asleep in a call");
    ok(exo_bank_reclaim(bank, 60, 0, 0) == 0, "and has given");
    ok(libos_on_revoke(bank, NULL) == 0, "keeps it no more");
    exo_bank_reclaim(bank, 1, 0, 0);
    ok(called == 3, "not asked any more");
    exo_bank_reclaim(bank, UINT64_MAX, 0, 0);
}

// Another process asks, by the capabilities it has from before.
static void ignores(void)
{
    int ready[2], status;
    char c;
    if (pipe(ready) < 0)
        exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        libos_on_revoke(bank, ignore);
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    ok(read(ready[0], &c, 1) == 1, "a child keeps the bank");
    int64_t r;
    while ((r = exo_bank_reclaim(bank, 0, 0, EXO_RECLAIM_ABORT)) == -EXO_EBUSY)
        usleep(10000);
    ok(r == -EXO_ENOENT, "nobody is left to ask");
    ok(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
       "the child that gave nothing is dead");
}

int main(void)
{
    int64_t h = exo_bank_split(libos_bank(), 200);
    ok(h > 0, "the bank of a job can be split");
    bank = (exo_handle_t)h;
    complies();
    ignores();
    while (exo_bank_destroy(bank) == -EXO_EAGAIN)
        ;
    printf("1..%d\n", number);
    return failed;
}
