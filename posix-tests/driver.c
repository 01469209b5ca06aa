// SPDX-License-Identifier: MIT
//
// Runs test programs one after the other inside one machine and reports each with plain lines:
//
//     ## BEGIN path
//     (what the program wrote)
//     ## END path exit N | signal N | timeout | error TEXT
//
// and "## DONE" at the end of the list, or "## PAUSE" when the time given by -b is used up, so that
// the host starts a machine anew at the following test. A BEGIN without END tells the host which
// test took the machine down.
//
// It leans on as little of the system as it can: fork, exec, one pipe, poll, waitpid, kill. Each
// program is a process group of its own, killed as a whole when it is over, so that a stray child
// neither holds the pipe nor disturbs the next test; what escaped the group ends by its own alarm.
// Output beyond the limit is dropped and said so.
//
// usage: driver [-s] [-t SECONDS per test] [-b SECONDS in all] -d DIRECTORY -l LIST
//        -s sets POSIX_STRICT=1: what a host may lack but the system must have is demanded.
//        LIST: one path a line ("fs/open"); its program is DIRECTORY/fs-open. "-" reads stdin.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OUTPUT_LIMIT = 256 * 1024 };

static long test_seconds = 90, budget_seconds = 100000;

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void put(const char *text, size_t length)
{
    while (length) {
        ssize_t n = write(1, text, length);
        if (n < 0 && errno != EINTR)
            exit(2);
        if (n > 0) {
            text += n;
            length -= n;
        }
    }
}

static void say(const char *a, const char *b, const char *c)
{
    char line[512];
    int n = snprintf(line, sizeof line, "## %s%s%s\n", a, b, c);
    put(line, n < (int)sizeof line ? n : (int)sizeof line - 1);
}

// Pass on what the pipe holds; the last byte tells whether the output ended with a newline.
static int drain(int fd, long *total, char *last)
{
    char buf[4096];
    ssize_t n = read(fd, buf, sizeof buf);
    if (n <= 0)
        return n == 0 || (errno != EAGAIN && errno != EINTR) ? -1 : 0;
    if (*total < OUTPUT_LIMIT) {
        put(buf, n);
        *last = buf[n - 1];
    } else if (*total - n < OUTPUT_LIMIT)
        put("\n# output cut off\n", 18);
    *total += n;
    return 1;
}

static pid_t start(const char *program, int out)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    setpgid(0, 0);
    int null = open("/dev/null", O_RDONLY);
    if (null > 0)
        dup2(null, 0);
    dup2(out, 1);
    dup2(out, 2);
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    execl(program, program, (char *)NULL);
    dprintf(1, "# cannot execute %s: %s\n", program, strerror(errno));
    _exit(126);
}

// Wait for the program or for its time to end. 1 when it was killed for the time.
static int watch(pid_t pid, int fd, int *status, char *last)
{
    long long end = now_ms() + test_seconds * 1000;
    long total = 0;
    int open = 1, late = 0;
    for (;;) {
        struct pollfd f = {open ? fd : -1, POLLIN, 0};
        int ready = poll(&f, 1, open ? 50 : 5);
        if (ready > 0 && drain(fd, &total, last) < 0)
            open = 0;
        if (waitpid(pid, status, WNOHANG) == pid)
            break;
        if (!late && now_ms() > end) {
            late = 1;
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
        }
    }
    kill(-pid, SIGKILL);
    while (open && drain(fd, &total, last) > 0)
        ;
    return late;
}

static void run(const char *dir, const char *path)
{
    char program[512], how[64], last = '\n';
    int p[2], status = 0, late = 0;
    int n = snprintf(program, sizeof program, "%s/", dir);
    snprintf(program + n, sizeof program - n, "%s", path);
    for (char *c = program + n; *c; c++)
        *c = *c == '/' ? '-' : *c;
    say("BEGIN ", path, "");
    if (pipe(p) == -1 || fcntl(p[0], F_SETFL, O_NONBLOCK) == -1) {
        say("END ", path, " error no pipe");
        return;
    }
    pid_t pid = start(program, p[1]);
    close(p[1]);
    if (pid > 0)
        late = watch(pid, p[0], &status, &last);
    close(p[0]);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    if (last != '\n')
        put("\n", 1);
    if (pid < 0)
        snprintf(how, sizeof how, " error fork: %s", strerror(errno));
    else if (late)
        snprintf(how, sizeof how, " timeout");
    else if (WIFEXITED(status))
        snprintf(how, sizeof how, " exit %d", WEXITSTATUS(status));
    else
        snprintf(how, sizeof how, " signal %d", WTERMSIG(status));
    say("END ", path, how);
}

int main(int argc, char **argv)
{
    const char *dir = ".", *list = "-";
    for (int option; (option = getopt(argc, argv, "st:b:d:l:")) != -1;) {
        if (option == 's')
            setenv("POSIX_STRICT", "1", 1);
        else if (option == 't')
            test_seconds = atol(optarg);
        else if (option == 'b')
            budget_seconds = atol(optarg);
        else if (option == 'd')
            dir = optarg;
        else if (option == 'l')
            list = optarg;
        else
            return 2;
    }
    FILE *in = strcmp(list, "-") ? fopen(list, "r") : stdin;
    if (!in) {
        say("ERROR ", list, strerror(errno));
        return 2;
    }
    long long end = now_ms() + budget_seconds * 1000;
    char line[256];
    while (fgets(line, sizeof line, in)) {
        line[strcspn(line, " \t\r\n#")] = 0;
        if (!*line)
            continue;
        if (now_ms() > end) {
            say("PAUSE ", line, "");
            return 0;
        }
        run(dir, line);
    }
    say("DONE", "", "");
    return 0;
}
