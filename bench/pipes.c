// SPDX-License-Identifier: MIT
// Processes that talk: pipes, socket pairs, and waiting for many descriptors.
#include "bench.h"
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB   1024
#define RING  8
#define WATCH 100

static int here[2], there[2]; // [0] is read, [1] is written, by us and by the other
static char block[64 * KIB];
static struct pollfd watched[WATCH];

static void echo(void)
{
    char byte;
    close(here[1]);
    close(there[0]);
    while (read(here[0], &byte, 1) == 1)
        must(write(there[1], &byte, 1) == 1, "write");
}

static int setup_pipes(void)
{
    return pipe(here) == 0 && pipe(there) == 0 ? 0 : -1;
}

static int setup_round_trip(void)
{
    if (setup_pipes() < 0)
        return -1;
    helper(echo);
    close(here[0]);
    close(there[1]);
    return 0;
}

static void run_round_trip(long n)
{
    char byte = 0;
    while (n--)
        must(write(here[1], &byte, 1) == 1 && read(there[0], &byte, 1) == 1, "round trip");
}

static void echo_socket(void)
{
    char byte;
    close(here[0]);
    while (read(here[1], &byte, 1) == 1)
        must(write(here[1], &byte, 1) == 1, "write");
}

static int setup_socketpair(void)
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, here) < 0)
        return -1;
    helper(echo_socket);
    close(here[1]);
    return 0;
}

static void run_socketpair(long n)
{
    char byte = 0;
    while (n--)
        must(write(here[0], &byte, 1) == 1 && read(here[0], &byte, 1) == 1, "round trip");
}

static void swallow(void)
{
    ssize_t got;
    size_t total = 0;
    close(here[1]);
    while ((got = read(here[0], block, sizeof(block))) > 0) {
        total += (size_t)got;
        if (total % sizeof(block) == 0)
            must(write(there[1], block, 1) == 1, "write");
    }
}

static int setup_stream(void)
{
    if (setup_pipes() < 0)
        return -1;
    helper(swallow);
    close(here[0]);
    close(there[1]);
    return 0;
}

// The other may answer for several blocks late, so the answers are counted at the end.
static void run_stream(long n)
{
    for (long i = 0; i < n; i++)
        must(write(here[1], block, sizeof(block)) == sizeof(block), "write");
    for (long answers = 0; answers < n;) {
        ssize_t got = read(there[0], block, 1);
        must(got == 1, "read");
        answers += got;
    }
}

static int ring[RING][2];
static int ring_place;

static void pass_on(void)
{
    char byte;
    while (read(ring[ring_place][0], &byte, 1) == 1)
        must(write(ring[(ring_place + 1) % RING][1], &byte, 1) == 1, "write");
}

static int setup_ring(void)
{
    for (int i = 0; i < RING; i++)
        if (pipe(ring[i]) < 0)
            return -1;
    for (ring_place = 1; ring_place < RING; ring_place++)
        helper(pass_on);
    return 0;
}

// n hops; a lap is RING of them, so n is rounded up and the rest is less than a lap.
static void run_ring(long n)
{
    char byte = 0;
    for (long hops = 0; hops < n; hops += RING)
        must(write(ring[1][1], &byte, 1) == 1 && read(ring[0][0], &byte, 1) == 1, "ring");
}

static void run_self(long n)
{
    while (n--)
        must(write(here[1], block, 512) == 512 && read(here[0], block, 512) == 512, "pipe");
}

static void run_pipe(long n)
{
    int ends[2];
    while (n--)
        must(pipe(ends) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0, "pipe");
}

static int setup_watch(void)
{
    for (int i = 0; i < WATCH; i++) {
        int ends[2];
        if (pipe(ends) < 0)
            return -1;
        watched[i] = (struct pollfd){.fd = ends[0], .events = POLLIN};
    }
    return 0;
}

static void run_poll_10(long n)
{
    while (n--)
        must(poll(watched, 10, 0) == 0, "poll");
}

static void run_poll_100(long n)
{
    while (n--)
        must(poll(watched, 100, 0) == 0, "poll");
}

static void run_select(long n)
{
    while (n--) {
        struct timeval none = {0, 0};
        fd_set set;
        FD_ZERO(&set);
        for (int i = 0; i < 10; i++)
            FD_SET(watched[i].fd, &set);
        must(select(watched[9].fd + 1, &set, NULL, NULL, &none) == 0, "select");
    }
}

static void run_poll_wake(long n)
{
    struct pollfd wait = {.fd = there[0], .events = POLLIN};
    char byte = 0;
    while (n--)
        must(write(here[1], &byte, 1) == 1 && poll(&wait, 1, -1) == 1 &&
                 read(there[0], &byte, 1) == 1,
             "poll");
}

static void echo_fifo(void)
{
    char byte;
    while (read(here[0], &byte, 1) == 1)
        must(write(there[1], &byte, 1) == 1, "write");
}

static int setup_fifo(void)
{
    must(mkfifo("one", 0600) == 0 && mkfifo("two", 0600) == 0, "mkfifo");
    here[0] = here[1] = open("one", O_RDWR);
    there[0] = there[1] = open("two", O_RDWR);
    must(here[0] >= 0 && there[0] >= 0, "open");
    helper(echo_fifo);
    return 0;
}

static int watch_ready(void)
{
    if (setup_pipes() < 0)
        return -1;
    watched[0] = (struct pollfd){.fd = here[0], .events = POLLIN};
    return write(here[1], block, 1) == 1 ? 0 : -1;
}
static void run_poll_ready(long n)
{
    while (n--)
        must(poll(watched, 1, -1) == 1, "poll");
}

static void run_select_100(long n)
{
    while (n--) {
        struct timeval none = {0, 0};
        fd_set set;
        FD_ZERO(&set);
        for (int i = 0; i < WATCH; i++)
            FD_SET(watched[i].fd, &set);
        must(select(watched[WATCH - 1].fd + 1, &set, NULL, NULL, &none) == 0, "select");
    }
}

// As much as PIPE_BUF, which may not be torn.
static void run_stream_small(long n)
{
    for (long i = 0; i < n; i++)
        must(write(here[1], block, 4 * KIB) == 4 * KIB, "write");
}
static void swallow_all(void)
{
    close(here[1]);
    while (read(here[0], block, sizeof(block)) > 0)
        ;
}
static int setup_stream_small(void)
{
    if (setup_pipes() < 0)
        return -1;
    helper(swallow_all);
    close(here[0]);
    return 0;
}

const struct bench bench_pipes[] = {
    {"pipe", "pipe round trip between processes", 0, setup_round_trip, NULL, run_round_trip, NULL},
    {"socketpair", "socketpair round trip", 0, setup_socketpair, NULL, run_socketpair, NULL},
    {"pipe-64k", "pipe, per 64 KiB written", 0, setup_stream, NULL, run_stream, NULL},
    {"ring", "token ring, per hop", 0, setup_ring, NULL, run_ring, NULL},
    {"poll-10", "poll of 10 descriptors", 0, setup_watch, NULL, run_poll_10, NULL},
    {"poll-100", "poll of 100 descriptors", 0, setup_watch, NULL, run_poll_100, NULL},
    {"select-10", "select of 10 descriptors", 0, setup_watch, NULL, run_select, NULL},
    {"poll-wake", "pipe round trip with poll", 0, setup_round_trip, NULL, run_poll_wake, NULL},
    {"pipe-self", "write and read 512 B of one's own pipe", 0, setup_pipes, NULL, run_self, NULL},
    {"pipe-open", "pipe and close both", 0, NULL, NULL, run_pipe, NULL},
    {"fifo", "FIFO round trip between processes", 0, setup_fifo, NULL, run_round_trip, NULL},
    {"poll-ready", "poll of one that is ready", 0, watch_ready, NULL, run_poll_ready, NULL},
    {"select-100", "select of 100 descriptors", 0, setup_watch, NULL, run_select_100, NULL},
    {"pipe-4k", "pipe, per 4 KiB written", 0, setup_stream_small, NULL, run_stream_small, NULL},
    BENCH_END,
};
