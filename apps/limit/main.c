// SPDX-License-Identifier: MIT
// exo-limit FRAMES -- PROG ARGS...: runs a program in a bank of its own.
//
// PROG and all its descendants live from FRAMES frames (with suffix M: MiB) that are taken from
// ours. When we end, in whatever way, all of them do. The status is PROG's, 128 + N if signal N
// killed it, 125 if there is not so much memory, 126 or 127 if PROG cannot be run.
#include <errno.h>
#include <exo/libos.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TROUBLE 125

static int usage(void)
{
    fprintf(stderr, "usage: exo-limit FRAMES[M] -- PROG ARGS...\n");
    return TROUBLE;
}

static uint64_t parse(const char *text)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno || end == text || *text == '-')
        return 0;
    if (!strcmp(end, "M"))
        return n < UINT64_MAX >> 20 ? n * 256 : 0;
    return *end ? 0 : n;
}

static int run(char **argv)
{
    execvp(argv[0], argv);
    fprintf(stderr, "exo-limit: %s: %s\n", argv[0], strerror(errno));
    return errno == ENOENT ? 127 : 126;
}

int main(int argc, char **argv)
{
    uint64_t frames = argc > 1 ? parse(argv[1]) : 0;
    char **prog = argv + 2;
    int status, err;
    if (argc > 2 && !strcmp(argv[2], "--"))
        prog++;
    if (!frames || !*prog)
        return usage();
    err = libos_limit(frames);
    if (err) {
        fprintf(stderr, "exo-limit: %s: %s\n", argv[1], strerror(-err));
        return TROUBLE;
    }
    signal(SIGINT, SIG_IGN); // the terminal's go to PROG
    signal(SIGQUIT, SIG_IGN);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGQUIT, SIG_DFL);
        _exit(run(prog));
    }
    if (pid < 0) {
        fprintf(stderr, "exo-limit: %s\n", strerror(errno));
        return TROUBLE;
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return TROUBLE;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
