// SPDX-License-Identifier: MIT
/*
 * execd: the machine's side of `exoc exec`. Runs one program between three pipes and carries what
 * flows through them over the line to the host's relay (frame.h).
 *
 * One loop, one thread. It sleeps in ppoll; SIGCHLD, blocked elsewhere, ends that sleep. The line
 * has no descriptor that ppoll knows, but something comes over it only when it was asked for: while
 * an answer is due, the sleep is short, and grows while the answer stays away (a person at the
 * keyboard). When nothing is due there is no waking up.
 *
 * Output that is short goes as bytes; what is longer is read straight into memory the relay can
 * reach, which then belongs to the relay until it says so. A stream is not read meanwhile, so the
 * order of its bytes is kept and the pipe holds back the program.
 *
 * The program's end is the end, as with any shell: what is in the pipes at that time is still
 * carried over; what its descendants may write later is not waited for.
 */
#define _GNU_SOURCE
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

#include "frame.h"
#include "line.h"
#include "spec.h"

enum {
    BUFFER = 65536,
    SHORT = 256,   // up to this many bytes go over the line itself
    LEFT_OVER = 4, // buffers of each stream carried after the program's end, at most
    SLEEP_MAX_MS = 16,
};

struct stream { // the program's output or error
    int fd;     // read end of its pipe, -1 once at its end
    enum frame_kind kind;
    struct line_memory memory;
    int busy; // the memory is the relay's
};

struct input {
    int fd; // write end of the program's pipe, -1 once closed
    struct line_memory memory;
    int wanted;        // asked for
    size_t have, done; // bytes in memory, of which written
};

static struct stream streams[2] = {{.kind = FRAME_OUT}, {.kind = FRAME_ERR}};
static struct input input;
static struct frame_reader reader;
static pid_t program;

static void put(enum frame_kind kind, const uint8_t *payload, size_t n)
{
    uint8_t head[FRAME_HEAD];
    frame_head(head, kind, n);
    line_write(head, sizeof head);
    line_write(payload, n);
}

static void put_memory(enum frame_kind kind, const struct line_memory *memory, size_t n,
                       enum frame_kind which)
{
    uint8_t payload[FRAME_BULK_BYTES];
    struct frame_bulk bulk = {memory->physical, (uint32_t)n, (uint8_t)which};
    frame_bulk_put(payload, &bulk);
    put(kind, payload, sizeof payload);
}

static _Noreturn void finish(int status)
{
    uint8_t payload[4];
    frame_put32(payload, (uint32_t)status);
    put(FRAME_EXIT, payload, sizeof payload);
    exit(0);
}

static _Noreturn void fail(const char *what)
{
    char text[256];
    int n = snprintf(text, sizeof text, "execd: %s: %s\n", what, strerror(errno));
    put(FRAME_ERR, (const uint8_t *)text, (size_t)n);
    finish(125);
}

// --- the program ---

static void child_died(int sig)
{
    (void)sig;
}

static _Noreturn void program_run(const struct spec *spec, int in, int out, int err)
{
    static const int caught[] = {SIGCHLD, SIGPIPE};
    sigset_t none;
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    line_drop();
    setpgid(0, 0);
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
        signal(caught[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    environ = spec->envp;
    execvp(spec->argv[0], spec->argv);
    int status = errno == ENOENT || errno == ENOTDIR ? 127 : 126;
    dprintf(2, "exoc exec: %s: %s\n", spec->argv[0], strerror(errno));
    _exit(status);
}

static void program_start(const struct spec *spec)
{
    int in[2], out[2], err[2];
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
        fail("pipe");
    program = fork();
    if (program < 0)
        fail("fork");
    if (program == 0)
        program_run(spec, in[0], out[1], err[1]);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    input.fd = in[1];
    streams[0].fd = out[0];
    streams[1].fd = err[0];
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
}

// --- output ---

// Carry over what the stream holds now, a buffer at most. 1 if there was something.
static int stream_carry(struct stream *s)
{
    ssize_t n = read(s->fd, s->memory.bytes, s->memory.size);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0) {
        close(s->fd);
        s->fd = -1;
        return 0;
    }
    if (n <= SHORT) {
        put(s->kind, s->memory.bytes, (size_t)n);
    } else {
        put_memory(FRAME_BULK, &s->memory, (size_t)n, s->kind);
        s->busy = 1;
    }
    return 1;
}

// The relay answers in order; so does this.
static int busy_order[2], busy_count;

static void stream_act(struct stream *s)
{
    stream_carry(s);
    if (s->busy)
        busy_order[busy_count++] = (int)(s - streams);
}

static void done_act(void)
{
    if (!busy_count)
        fail("the relay answered what was not asked");
    streams[busy_order[0]].busy = 0;
    busy_order[0] = busy_order[1];
    busy_count--;
}

// --- input ---

static void input_close(void)
{
    close(input.fd);
    input.fd = -1;
}

static void input_want(void)
{
    if (input.fd < 0 || input.wanted || input.have)
        return;
    put_memory(FRAME_WANT, &input.memory, input.memory.size, FRAME_NONE);
    input.wanted = 1;
}

static void give_act(const struct frame *f)
{
    uint32_t n = f->length == 4 ? frame_get32(f->payload) : UINT32_MAX;
    if (!input.wanted || n > input.memory.size)
        fail("the relay answered what was not asked");
    input.wanted = 0;
    if (input.fd < 0) // the program closed it meanwhile
        return;
    input.have = n;
    input.done = 0;
    if (n == 0)
        input_close();
}

static void input_write(void)
{
    ssize_t n = write(input.fd, input.memory.bytes + input.done, input.have - input.done);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) { // nobody reads any more
        input_close();
        input.have = input.done = 0;
        return;
    }
    input.done += (size_t)n;
    if (input.done == input.have)
        input.have = input.done = 0;
}

// --- the loop ---

// Act on what has arrived. 1 if something had.
static int line_act(void)
{
    uint8_t bytes[64];
    struct frame f;
    size_t n = line_read(bytes, sizeof bytes);
    for (size_t at = 0; at < n;) {
        at += frame_take(&reader, bytes + at, n - at, &f);
        if (f.kind == FRAME_DONE)
            done_act();
        else if (f.kind == FRAME_GIVE)
            give_act(&f);
        else if (f.kind != FRAME_NONE)
            fail("the relay sent what is no frame");
    }
    return n > 0;
}

static void answers_await(void)
{
    struct timespec moment = {0, 100000};
    while (busy_count)
        if (!line_act())
            nanosleep(&moment, NULL);
}

static void sleep_and_act(int sleep_ms, const sigset_t *sleeping)
{
    struct timespec limit = {0, sleep_ms * 1000000L};
    struct pollfd fds[3] = {
        {.fd = streams[0].busy ? -1 : streams[0].fd, .events = POLLIN},
        {.fd = streams[1].busy ? -1 : streams[1].fd, .events = POLLIN},
        {.fd = input.fd, .events = (short)(input.have ? POLLOUT : 0)},
    };
    if (ppoll(fds, 3, sleep_ms ? &limit : NULL, sleeping) <= 0)
        return;
    for (int i = 0; i < 2; i++)
        if (fds[i].revents)
            stream_act(&streams[i]);
    if (fds[2].revents & POLLERR)
        input_close();
    else if (fds[2].revents & POLLOUT)
        input_write();
}

// Until the program ends; returns its status.
static int carry_on(const sigset_t *sleeping)
{
    int status, sleep_ms = 1;
    for (;;) {
        if (waitpid(program, &status, WNOHANG) == program)
            return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        input_want();
        if (line_act())
            sleep_ms = 1;
        int due = busy_count || (input.wanted && input.fd >= 0);
        if (busy_count)
            sleep_ms = 1;
        sleep_and_act(due ? sleep_ms : 0, sleeping);
        if (due && sleep_ms < SLEEP_MAX_MS)
            sleep_ms *= 2;
    }
}

static void left_over_carry(void)
{
    answers_await();
    for (int i = 0; i < 2; i++) {
        int more = LEFT_OVER;
        while (streams[i].fd >= 0 && more-- && stream_carry(&streams[i])) {
            if (streams[i].busy)
                busy_order[busy_count++] = i;
            answers_await();
        }
    }
}

static void signals_prepare(sigset_t *sleeping)
{
    struct sigaction sa = {.sa_handler = child_died};
    sigset_t chld;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, sleeping);
    sigdelset(sleeping, SIGCHLD);
    sigaction(SIGCHLD, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
}

// Whether or not we were given 0, 1 and 2: nothing of ours may take their place.
static void standard_fds_hold(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= 2);
    if (fd > 2)
        close(fd);
}

int main(int argc, char **argv)
{
    struct spec spec;
    sigset_t sleeping;
    size_t n = 0;
    standard_fds_hold();
    if (line_open(argc, argv) < 0)
        return 125;
    put(FRAME_READY, (const uint8_t *)"", 0);
    const char *bytes = line_spec(&n);
    if (!bytes || spec_read(&spec, bytes, n) < 0)
        fail("the command cannot be read");
    if (line_memory(&streams[0].memory, BUFFER) < 0 ||
        line_memory(&streams[1].memory, BUFFER) < 0 || line_memory(&input.memory, BUFFER) < 0)
        fail("memory for the line");
    signals_prepare(&sleeping);
    program_start(&spec);
    if (!spec.input)
        input_close();
    int status = carry_on(&sleeping);
    left_over_carry();
    finish(status);
}
