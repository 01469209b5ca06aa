// SPDX-License-Identifier: MIT
//
// waitpid(): WNOHANG gives 0 while children live; -1, pid, 0 and -pgid select; ECHILD and EINVAL.
#include "tap.h"

int main(void)
{
    int go[2], status = 1234;
    tap_start();
    ERR(waitpid(-1, NULL, 0), ECHILD);
    ERR(waitpid(getpid(), NULL, 0), ECHILD);
    ERR(waitpid(1, NULL, WNOHANG), ECHILD);
    SYS(pipe(go));
    pid_t a = tap_fork();
    if (a == 0) {
        tap_await(go[0]);
        _exit(1);
    }
    EQ(waitpid(a, &status, WNOHANG), 0);
    EQ(status, 1234);
    EQ(waitpid(-1, NULL, WNOHANG), 0);
    EQ(waitpid(0, NULL, WNOHANG), 0);
    pid_t b = tap_fork();
    if (b == 0)
        _exit(2);
    SYS(setpgid(a, a));
    ERR(waitpid(-a - 100000, NULL, WNOHANG), ECHILD);
    EQ(waitpid(-a, NULL, WNOHANG), 0);
    EQ(waitpid(0, &status, 0), b);
    EQ(WEXITSTATUS(status), 2);
    ERR(waitpid(b, NULL, 0), ECHILD);
    ERR(waitpid(0, NULL, WNOHANG), ECHILD);
    tap_post(go[1]);
    EQ(waitpid(-a, &status, 0), a);
    EQ(WEXITSTATUS(status), 1);
    ERR(wait(&status), ECHILD);
    ERR(waitpid(-1, NULL, 0x40), EINVAL);
    return tap_done();
}
