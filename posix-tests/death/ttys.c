// SPDX-License-Identifier: MIT
// Terminals: the other side of a pty learns that the last holder is gone, and its number comes
// back.
#include "death.h"
#include <sys/ioctl.h>
#include <termios.h>

static int master;
static char name[32];

// Numbers are given from 0 on. (Reading the directory would need malloc, whose pages come and go.)
static bool terminals(void)
{
    return access("/dev/pts/0", F_OK) == 0;
}

static void set(void)
{
    SOON(!terminals());
    master = posix_openpt(O_RDWR | O_NOCTTY);
    HOLDS(master >= 0);
    IS(unlockpt(master), 0);
    IS(ptsname_r(master, name, sizeof(name)), 0);
    IS(write(master, "line\n", 5), 5);
}

static void enter(void)
{
    close(master);
}

static void play_slave(void)
{
    char text[16];
    struct termios t;
    int fd = open(name, O_RDWR | O_NOCTTY);

    MUST(fd >= 0);
    stage->count++;
    MUST(read(fd, text, sizeof(text)) == 5);
    MUST(tcgetattr(fd, &t) == 0);
    t.c_lflag &= ~(tcflag_t)ICANON;
    MUST(tcsetattr(fd, TCSANOW, &t) == 0);
    MUST(write(fd, "hello", 5) == 5);
    stage->count++;
    MUST(close(fd) == 0);
}

static void after_slave(bool whole)
{
    char text[64];
    ssize_t n, all = 0;
    int flags = fcntl(master, F_GETFL);

    // The echo, then what was written as a whole or not at all; then the line is dead, or was
    // never.
    fcntl(master, F_SETFL, flags | O_NONBLOCK);
    while ((n = read(master, text + all, sizeof(text) - (size_t)all)) > 0)
        all += n;
    HOLDS(all == 6 || all == 11);
    HOLDS(!memcmp(text, "line\r\nhello", (size_t)all));
    if (whole || stage->count > 1)
        IS(all, 11);
    if (stage->count)
        HOLDS(n == 0 || (n == -1 && errno == EIO));
    IS(close(master), 0);
    SOON(!terminals());
}

// --- the victim holds both sides, and has it as its controlling terminal

static void set_none(void)
{
    SOON(!terminals());
}

static void play_session(void)
{
    char text[16];

    MUST(setsid() > 0);
    int m = posix_openpt(O_RDWR | O_NOCTTY);
    MUST(m >= 0);
    stage->count++;
    MUST(unlockpt(m) == 0);
    MUST(ptsname_r(m, name, sizeof(name)) == 0);
    int s = open(name, O_RDWR);
    MUST(s >= 0);
    MUST(ioctl(s, TIOCSCTTY, 0) == 0);
    MUST(tcgetpgrp(s) == getpid());
    MUST(write(m, "x\n", 2) == 2);
    MUST(read(s, text, sizeof(text)) == 2);
    MUST(close(s) == 0);
}

// The end of the line is told by SIGHUP and SIGCONT. (The latter would take back our stop.)
static void enter_hangup(void)
{
    sigset_t set;

    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
}

static void play_hangup(void)
{
    sigset_t set;
    int signal;

    MUST(setsid() > 0);
    int m = posix_openpt(O_RDWR | O_NOCTTY);
    MUST(unlockpt(m) == 0);
    MUST(ptsname_r(m, name, sizeof(name)) == 0);
    int s = open(name, O_RDWR);
    MUST(s >= 0);
    stage->count++;
    MUST(close(m) == 0);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    MUST(sigwait(&set, &signal) == 0 && signal == SIGHUP);
    char c;
    MUST(read(s, &c, 1) == 0);
}

static void after_session(bool whole)
{
    (void)whole;
    SOON(!terminals());
}

const struct scene tty_scenes[] = {
    {.name = "tty-slave", .set = set, .enter = enter, .play = play_slave, .after = after_slave},
    {.name = "tty-session", .set = set_none, .play = play_session, .after = after_session},
    {.name = "tty-hangup",
     .set = set_none,
     .enter = enter_hangup,
     .play = play_hangup,
     .after = after_session,
     .kill_only = true},
    {0},
};
