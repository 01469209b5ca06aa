// SPDX-License-Identifier: MIT
/*
 * What of musl touches the overlay, exercised on the build machine through the Linux stand-in
 * (shim.S): plain calls with nought to six arguments, thread start and exit, cancellation at its
 * two moments, the three ways of making a process. Prints TAP.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int tests, failures;

static void check(int ok, const char *what)
{
    tests++;
    failures += !ok;
    printf("%sok %d - %s\n", ok ? "" : "not ", tests, what);
}

static void test_arguments(void)
{
    char text[64];
    snprintf(text, sizeof text, "%d %.3f %s", 42, 3.14159, "words");
    check(strcmp(text, "42 3.142 words") == 0, "printf with integers, floats and strings");
    check(getpid() == getpgrp() || getpgrp() > 0, "calls without arguments");
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(page != MAP_FAILED && page[8191] == 0, "a call with six arguments");
    check(munmap(page, 8192) == 0, "a call with two arguments");
    errno = 0;
    check(open("/nonexistent/file", O_RDONLY) == -1 && errno == ENOENT, "an error becomes errno");
    struct timespec now;
    check(clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec > 1600000000, "clock_gettime");
}

static void test_malloc(void)
{
    static char *blocks[2000];
    int good = 1;
    for (int i = 0; i < 2000; i++) {
        blocks[i] = malloc((size_t)i * 37 + 1);
        memset(blocks[i], i, (size_t)i * 37 + 1);
    }
    for (int i = 0; i < 2000; i++) {
        good &= blocks[i][i * 37] == (char)i;
        free(blocks[i]);
    }
    check(good, "malloc and free of 2000 blocks");
}

static int status_of(pid_t pid)
{
    int status = -1;
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

static void test_processes(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    check(WEXITSTATUS(status_of(pid)) == 7, "fork and wait");

    volatile int seen = 0;
    pid = vfork();
    if (pid == 0) {
        char *argv[] = {"sh", "-c", "exit 9", NULL};
        seen = 1;
        execve("/bin/sh", argv, environ);
        _exit(127);
    }
    check(pid > 0 && seen == 1 && WEXITSTATUS(status_of(pid)) == 9, "vfork and exec");

    char *argv[] = {"sh", "-c", "exit $((5 + 6))", NULL};
    check(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) == 0 &&
              WEXITSTATUS(status_of(pid)) == 11,
          "posix_spawn");
    check(posix_spawn(&pid, "/nonexistent", NULL, NULL, argv, environ) == ENOENT,
          "posix_spawn tells of a program that is not there");
    check(WEXITSTATUS(system("exit 3")) == 3, "system");

    char line[32] = "";
    FILE *pipe = popen("echo through a pipe", "r");
    check(pipe && fgets(line, sizeof line, pipe) && strcmp(line, "through a pipe\n") == 0, "popen");
    check(pipe && pclose(pipe) == 0, "pclose");
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int counter;

static void *count(void *arg)
{
    for (int i = 0; i < 10000; i++) {
        pthread_mutex_lock(&lock);
        counter++;
        pthread_mutex_unlock(&lock);
    }
    errno = (int)(long)arg;
    sched_yield();
    return (void *)(long)errno;
}

static void test_threads(void)
{
    pthread_t threads[4];
    int good = 1;
    void *result;
    for (long i = 0; i < 4; i++)
        good &= pthread_create(&threads[i], NULL, count, (void *)(i + 100)) == 0;
    for (long i = 0; i < 4; i++)
        good &= pthread_join(threads[i], &result) == 0 && result == (void *)(i + 100);
    check(good && counter == 40000, "four threads, a mutex, errno of their own");

    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    counter = 0;
    for (int i = 0; i < 50; i++)
        good &= pthread_create(&threads[0], &attr, count, NULL) == 0;
    for (int i = 0; i < 2000 && counter < 500000; i++)
        usleep(10000);
    usleep(50000);
    check(good && counter == 500000, "50 detached threads unmap their own stacks");
}

static int cleaned;
static int ends[2];

static void cleanup(void *arg)
{
    cleaned += *(int *)arg;
}

static void *block(void *arg)
{
    char byte;
    int one = 1;
    pthread_cleanup_push(cleanup, &one);
    if (arg)
        usleep(30000);
    while (read(ends[0], &byte, 1) == 1)
        ;
    pthread_cleanup_pop(0);
    return NULL;
}

// Cancels while the thread waits in read; or, with `early`, before it gets there.
static int cancel_one(int early)
{
    pthread_t thread;
    void *result = NULL;
    pthread_create(&thread, NULL, block, early ? &tests : NULL);
    if (!early)
        usleep(20000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    return result == PTHREAD_CANCELED;
}

static void *disabled(void *arg)
{
    char byte = 0;
    int old;
    (void)arg;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    ssize_t n = read(ends[0], &byte, 1);
    return (void *)(long)(n == 1 && byte == 'x');
}

static void test_cancellation(void)
{
    int good = pipe(ends) == 0;
    cleaned = 0;
    for (int i = 0; i < 20; i++)
        good &= cancel_one(0);
    check(good && cleaned == 20, "20 threads cancelled while they wait in read");
    for (int i = 0; i < 20; i++)
        good &= cancel_one(1);
    check(good && cleaned == 40, "20 threads cancelled before they wait");

    pthread_t thread;
    void *result = NULL;
    pthread_create(&thread, NULL, disabled, NULL);
    usleep(20000);
    pthread_cancel(thread);
    usleep(20000);
    good = write(ends[1], "x", 1) == 1;
    pthread_join(thread, &result);
    check(good && result == (void *)1L, "a thread that disabled cancellation reads to the end");
}

static volatile sig_atomic_t caught;

static void catch (int sig)
{
    caught = sig;
}

static void test_signals(void)
{
    struct sigaction sa = {.sa_handler = catch};
    check(sigaction(SIGUSR1, &sa, NULL) == 0 && raise(SIGUSR1) == 0 && caught == SIGUSR1,
          "a handler runs and returns");
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(60);
    test_arguments();
    test_malloc();
    test_processes();
    test_threads();
    test_cancellation();
    test_signals();
    printf("1..%d\n", tests);
    return failures != 0;
}
