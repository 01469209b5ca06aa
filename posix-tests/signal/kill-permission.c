// SPDX-License-Identifier: MIT
//
// kill(): a user signals own processes only (real or effective against real or saved id); signal 0
// tells; kill(-1) of a user spares everyone else.
#include "tap.h"

static pid_t sleeper(uid_t uid)
{
    int p[2];
    SYS(pipe(p));
    pid_t pid = tap_fork();
    if (pid == 0) {
        tap_drop(uid);
        tap_post(p[1]);
        for (;;)
            pause();
    }
    tap_await(p[0]);
    return pid;
}

int main(void)
{
    tap_start();
    if (geteuid() != 0) {
        ERR(kill(1, 0), EPERM);
        return tap_done();
    }
    uid_t user = 100000 + 2 * getpid(), other = user + 1;
    pid_t root = sleeper(0), mine = sleeper(user), theirs = sleeper(other);
    IN_CHILD("a user") {
        NEED(setresuid(user, user, user) == 0);
        ERR(kill(root, SIGTERM), EPERM);
        ERR(kill(theirs, 0), EPERM);
        ERR(kill(1, 0), EPERM);
        EQ(kill(mine, 0), 0);
        ERR(kill(-getpgrp() - 100000, 0), ESRCH);
        EQ(kill(-1, SIGCONT), 0);
        EQ(kill(mine, SIGTERM), 0);
    }
    EQ(tap_wait(mine), 128 + SIGTERM);
    mine = sleeper(user);
    pid_t killer = tap_fork();
    if (killer == 0) {
        NEED(setuid(user) == 0);
        kill(-1, SIGKILL);
        _exit(0);
    }
    int status = tap_wait(killer);
    OK(status == 0 || status == 128 + SIGKILL);
    EQ(tap_wait(mine), 128 + SIGKILL);
    EQ(kill(root, 0), 0);
    EQ(waitpid(root, NULL, WNOHANG), 0);
    EQ(waitpid(theirs, NULL, WNOHANG), 0);
    IN_CHILD("the real id of the sender counts") {
        NEED(setresuid(other, user, user) == 0);
        EQ(kill(theirs, SIGTERM), 0);
    }
    EQ(tap_wait(theirs), 128 + SIGTERM);
    EQ(kill(root, SIGTERM), 0);
    EQ(tap_wait(root), 128 + SIGTERM);
    return tap_done();
}
