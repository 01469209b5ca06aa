// SPDX-License-Identifier: MIT
//
// 1,000 forks, and 60 of each other way to begin, stop and end a process, leave as much memory free
// as there was, and no process behind. Elsewhere memory is in use for a thousand other reasons, so
// only the system itself is held to that (POSIX_STRICT).
#include "tap.h"
#include <spawn.h>
#include <sys/sysinfo.h>

extern char **environ;
static const char *self;

static void forked(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(5);
    NEED(tap_wait(pid) == 5);
}

static void vforked(void)
{
    pid_t pid = vfork();
    if (pid == 0)
        _exit(5);
    NEED(tap_wait(pid) == 5);
}

static void executed(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        execl(self, self, "child", NULL);
        _exit(98);
    }
    NEED(tap_wait(pid) == 5);
}

static void vfork_executed(void)
{
    pid_t pid = vfork();
    if (pid == 0) {
        execl(self, self, "child", NULL);
        _exit(98);
    }
    NEED(tap_wait(pid) == 5);
}

static void spawned(void)
{
    char *args[] = {"test", "child", NULL};
    pid_t pid;
    NEED(posix_spawn(&pid, self, NULL, NULL, args, environ) == 0);
    NEED(tap_wait(pid) == 5);
}

static void spawned_in_vain(void)
{
    char *args[] = {"test", NULL};
    pid_t pid;
    NEED(posix_spawn(&pid, "/nowhere/at-all", NULL, NULL, args, environ) == ENOENT);
}

static void killed(void)
{
    pid_t pid = tap_fork();
    while (pid == 0)
        ;
    SYS(kill(pid, SIGKILL));
    NEED(tap_wait(pid) == 128 + SIGKILL);
}

static void crashed(void)
{
    pid_t pid = tap_fork();
    if (pid == 0)
        tap_crash();
    NEED(tap_wait(pid) == 128 + SIGSEGV);
}

static void talked(void)
{
    int p[2];
    SYS(pipe(p));
    pid_t pid = tap_fork();
    if (pid == 0) {
        tap_post(p[1]);
        _exit(0);
    }
    tap_await(p[0]);
    NEED(close(p[0]) == 0 && close(p[1]) == 0);
    NEED(tap_wait(pid) == 0);
}

static void orphaned(void)
{
    int p[2];
    char byte;
    SYS(pipe(p));
    pid_t pid = tap_fork();
    if (pid == 0) {
        close(p[0]);
        if (tap_fork() == 0)
            tap_sleep(1);
        _exit(0);
    }
    close(p[1]);
    NEED(tap_wait(pid) == 0);
    NEED(read(p[0], &byte, 1) == 0);
    close(p[0]);
}

static void stopped(void)
{
    int status;
    pid_t pid = tap_fork();
    if (pid == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    NEED(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    SYS(kill(pid, SIGCONT));
    NEED(tap_wait(pid) == 0);
}

static void killed_while_stopped(void)
{
    int status;
    pid_t pid = tap_fork();
    if (pid == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    NEED(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    SYS(kill(pid, SIGKILL));
    NEED(tap_wait(pid) == 128 + SIGKILL);
}

struct state {
    unsigned long free;
    unsigned procs;
};

static struct state look(void)
{
    struct sysinfo s;
    SYS(sysinfo(&s));
    return (struct state){s.freeram * s.mem_unit, s.procs};
}

// What an orphan had comes back when init has buried it, a little later than we can tell.
static int back(struct state before)
{
    for (int i = 0; i < 100; i++) {
        struct state now = look();
        if (now.free >= before.free && now.procs <= before.procs)
            return 1;
        tap_sleep(50);
    }
    tap_say("# free: %lu before, %lu now", before.free, look().free);
    return !getenv("POSIX_STRICT");
}

static int lost(void (*live)(void), int times)
{
    for (int i = 0; i < 10; i++) // caches fill
        live();
    tap_sleep(100);
    struct state before = look();
    for (int i = 0; i < times; i++)
        live();
    return !back(before);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return 5;
    tap_start();
    self = tap_self(argv);
    EQ(lost(forked, 1000), 0);
    tap_alarm();
    EQ(lost(vforked, 60), 0);
    EQ(lost(executed, 60), 0);
    EQ(lost(vfork_executed, 60), 0);
    EQ(lost(spawned, 60), 0);
    EQ(lost(spawned_in_vain, 60), 0);
    EQ(lost(killed, 60), 0);
    tap_alarm();
    EQ(lost(crashed, 60), 0);
    EQ(lost(talked, 60), 0);
    EQ(lost(orphaned, 60), 0);
    EQ(lost(stopped, 60), 0);
    EQ(lost(killed_while_stopped, 60), 0);
    return tap_done();
}
