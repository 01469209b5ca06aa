// SPDX-License-Identifier: MIT
//
// ttyd's calls made raw: fields of nonsense, terminals of sessions one is not in, typing into other
// people's terminals.
#include "misuse.h"
#include <sys/ioctl.h>
#include <termios.h>

static exo_handle_t open_tty(uint64_t rdev, uint64_t flags)
{
    long r = ask(H_TTYD, TTY_OP_OPEN, rdev, flags);
    exo_handle_t ep = r < 0 ? 0 : own_ctx()->recv[0];
    if (r >= 0 && own_ctx()->recv[1])
        exo_cap_delete(own_ctx()->recv[1]);
    return ep;
}

static void nonsense(exo_handle_t open)
{
    static const uint64_t odd[] = {0,     1,          255,        4096,       4097,
                                   65536, 1ull << 31, 1ull << 32, 1ull << 63, UINT64_MAX};
    exo_handle_t where[2] = {H_TTYD, open};
    ATTEMPT("operations, requests and lengths of ttyd that do not exist")
    for (int w = 0; w < 2; w++) {
        TRY_FAILS(ask(where[w], 0));
        TRY_FAILS(ask(where[w], TTY_OP_LIMIT));
        TRY_FAILS(ask(where[w], UINT64_MAX));
        for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
            if (where[w] == open) {
                TRY_TRUE(ask(open, TTY_OP_READ, odd[i], TTY_F_NONBLOCK) <= 4096);
                TRY_TRUE(ask(open, TTY_OP_WRITE, odd[i], TTY_F_NONBLOCK) <= 0); // no message
                TRY_FAILS(ask(open, TTY_OP_IOCTL, odd[i], odd[i], odd[i]));
            }
            TRY_FAILS(ask(where[w], TTY_OP_OPEN, odd[i] | 1ull << 20, 0));
            ask(where[w], TTY_OP_LIST, odd[i]);
            ask(where[w], TTY_OP_STAT, odd[i]);
            ask(where[w], TTY_OP_POLL, odd[i]);
        }
    }
    ATTEMPT("structures of an ioctl cut short")
    {
        TRY_FAILS(ask_all(open, 0, TTY_OP_IOCTL, TCSETS, 0, 0, 0, 0));
        TRY_FAILS(ask_all(open, 8, TTY_OP_IOCTL, TCSETS, 0, 0, 0, 0));
        TRY_FAILS(ask_all(open, 1, TTY_OP_IOCTL, TIOCSWINSZ, 0, 0, 0, 0));
        TRY_FAILS(ask_all(open, 3, TTY_OP_IOCTL, TIOCSPTLCK, 0, 0, 0, 0));
    }
    ATTEMPT("settings of noise: whatever they mean, the terminal answers")
    for (unsigned i = 0; i < 200; i++) {
        char noise[64];
        for (unsigned k = 0; k < sizeof noise; k++)
            noise[k] = (char)(i * 31 + k * 17 + (i * k >> 3));
        memcpy(own_message(), noise, sizeof noise);
        ask_all(open, sizeof noise, TTY_OP_IOCTL, TCSETS, 0, TTY_F_NONBLOCK, 0, 0);
        memcpy(own_message(), noise, sizeof noise);
        ask_all(open, sizeof noise, TTY_OP_WRITE, sizeof noise, TTY_F_NONBLOCK, 0, 0, 0);
        TRY_TRUE(ask(open, TTY_OP_POLL) >= 0);
    }
}

// A terminal of one session, and a process of another that holds a descriptor of it.
static void foreign_session(void)
{
    int master = SYS(posix_openpt(O_RDWR | O_NOCTTY)), ready[2], status;
    NEED(grantpt(master) == 0 && unlockpt(master) == 0);
    const char *name = ptsname(master);
    SYS(pipe(ready));
    pid_t pid = tap_fork();
    if (pid == 0) {
        setsid();
        int tty = open(name, O_RDWR);
        NEED(tty >= 0 && tcgetpgrp(tty) == getpid() && write(ready[1], "x", 1) == 1);
        for (;;)
            pause();
    }
    char byte;
    NEED(read(ready[0], &byte, 1) == 1);
    int tty = SYS(open(name, O_RDWR | O_NOCTTY));
    int32_t group = 0;
    ATTEMPT("a terminal of a session one is not in: its groups asked, set, taken, typed into")
    {
        TRY(ioctl(tty, TIOCGPGRP, &group), -1);
        TRY(errno, ENOTTY);
        TRY(ioctl(tty, TIOCGSID, &group), -1);
        group = getpgrp();
        TRY(ioctl(tty, TIOCSPGRP, &group), -1);
        TRY(ioctl(tty, TIOCSCTTY, 0), -1);
        TRY(ioctl(tty, TIOCNOTTY, 0), -1);
        TRY(ioctl(tty, TIOCSTI, "x"), -1);
    }
    ATTEMPT("a terminal taken over by the leader of another session, by force or by opening it")
    {
        pid_t thief = fork();
        if (thief == 0) {
            setsid();
            int t = open(name, O_RDWR);
            int stolen = ioctl(t, TIOCSCTTY, 1) == 0 || ioctl(t, TIOCSCTTY, 0) == 0;
            int ctty = open("/dev/tty", O_RDWR);
            _exit(stolen || ctty >= 0);
        }
        TRY(waitpid(thief, &status, 0), thief);
        TRY(status, 0);
        TRY_TRUE(record_of(pid)->tty != 0);
    }
    ATTEMPT("requests of a pty's master at the other end")
    {
        int n = 0;
        TRY(ioctl(tty, TIOCSPTLCK, &n), -1);
        TRY(ioctl(tty, TIOCGPTN, &n), -1);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    close(master);
    close(tty);
    close(ready[0]);
    close(ready[1]);
}

static void others(void)
{
    ATTEMPT("the console, another's terminal, opened, given away, hung up by a user")
    {
        TRY(open_tty(TTY_RDEV_CONSOLE, O_RDWR), 0);
        TRY(open_tty(TTY_RDEV(4, 64), O_RDONLY), 0);
        TRY(open_tty(TTY_RDEV_CTTY, O_RDWR), 0);
        TRY_FAILS(ask(H_TTYD, TTY_OP_CHMOD, TTY_RDEV_CONSOLE, 0666));
        TRY_FAILS(ask(H_TTYD, TTY_OP_CHOWN, TTY_RDEV_CONSOLE, 1000, 1000));
    }
    ATTEMPT("a terminal's page made writable")
    {
        long r = ask(H_TTYD, TTY_OP_OPEN, TTY_RDEV_PTMX, O_RDWR);
        exo_handle_t ep = own_ctx()->recv[0], shown = own_ctx()->recv[1];
        struct exo_map_op op = {EXO_OP_MAP, 1, 0x480000000000, shown, 0, EXO_R_READ | EXO_R_WRITE,
                                0};
        TRY(r, 0);
        TRY(exo_aspace_batch(0, H_BANK, &op, 1), -EXO_ERIGHTS);
        TRY(exo_cap_delete(shown), 0);
        TRY(exo_cap_delete(ep), 0);
        TRY(ask(ep, TTY_OP_POLL), -1000 - EXO_EBADHANDLE);
    }
    ATTEMPT("more terminals than a user's share: the next user has its own")
    {
        int n = 0, made[600];
        while (n < 600 && (made[n] = posix_openpt(O_RDWR | O_NOCTTY)) >= 0)
            n++;
        TRY_TRUE(n > 4 && n < 600);
        while (n--)
            close(made[n]);
    }
}

int main(void)
{
    tap_start();
    as_user(1000);
    exo_handle_t pty = open_tty(TTY_RDEV_PTMX, O_RDWR);
    NEED(pty);
    nonsense(pty);
    exo_cap_delete(pty);
    others();
    foreign_session();
    return tap_done();
}
