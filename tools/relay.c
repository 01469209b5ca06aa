// SPDX-License-Identifier: MIT
/*
 * exoc-relay: one program in one fresh machine, from the host's side.
 *
 *     exoc-relay [--timeout S] [--trace] --mem MIB --kernel FILE --append WORDS
 *                [--module 'WORDS=FILE']... -- MACHINE ARGS... -- PROGRAM ARGS...
 *
 * Starts MACHINE (QEMU) with two serial lines: the first is the system's log, kept and shown only
 * with --trace or when something went wrong; the second carries frames (apps/execd/frame.h). The
 * program's command line travels as the module `spec`. Nothing is written to the file system: files
 * are handed to QEMU as descriptors, the spec and the machine's memory are anonymous.
 *
 * Exit status: the program's; 124 when the time is up; 125 when there is no status, because the
 * machine died, was never started, or did not power off in good order afterwards.
 *
 * The relay never waits in one direction only: what cannot be sent to the guest now stays in `in`
 * until the line takes it, and standard input is read only when the guest has asked for it.
 * Standard output is the exception; while the reader of our output sleeps, the guest's line fills
 * up and the guest waits, as it should. The time limit is a signal, so that it also ends such a
 * wait.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

enum { EXIT_TIMEOUT = 124, EXIT_MACHINE = 125 };
enum { GRACE_MS = 20000 }; // from the program's end to the machine's
enum { ARGS_MAX = 512 };

struct relay {
    // the command line
    double timeout;
    int trace;
    unsigned long mem_mib;
    const char *kernel, *append;
    const char *modules[16];
    int nmodules;
    char **machine, **program; // NULL-terminated

    // the running machine
    pid_t pid;
    int data, log;   // our ends of its serial lines; -1 once closed
    int finished;    // FRAME_EXIT was seen
    int status;      // ... and said this
    uint8_t *memory; // of the machine
    size_t memory_size;
    uint8_t *want; // where the guest wants standard input, or NULL
    size_t want_size;
    struct frame_reader reader;
    uint8_t in[1024]; // frames for the guest
    size_t in_have, in_sent;
};

static char *nothing[1];
static struct relay relay = {
    .data = -1, .log = -1, .append = "", .machine = nothing, .program = nothing};

// The log's last bytes, as a ring: `logged` counts all bytes ever.
static char log_ring[256 * 1024];
static size_t logged;

// 0, or -1 with errno.
static int write_all(int fd, const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n) {
        ssize_t w = write(fd, p, n);
        // NOLINTNEXTLINE(bugprone-signal-handler): errno is what it looks at
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0 && errno == EAGAIN) {
            struct pollfd pfd = {.fd = fd, .events = POLLOUT};
            poll(&pfd, 1, -1);
            continue;
        }
        if (w < 0)
            return -1;
        p += w;
        n -= (size_t)w;
    }
    return 0;
}

static void say(const char *text)
{
    write_all(2, "exoc exec: ", 11);
    write_all(2, text, strlen(text));
    write_all(2, "\n", 1);
}

static void log_show(void)
{
    size_t size = sizeof log_ring;
    size_t from = logged > size ? logged - size : 0;
    if (relay.trace || !logged)
        return;
    say("the system's log:");
    while (from < logged) {
        size_t at = from % size;
        size_t run = logged - from < size - at ? logged - from : size - at;
        write_all(2, log_ring + at, run);
        from += run;
    }
    if (log_ring[(logged - 1) % size] != '\n')
        write_all(2, "\n", 1);
}

// End the machine and this process. Safe in a signal handler: nothing here allocates or locks.
static _Noreturn void give_up(int status, const char *why)
{
    if (relay.pid > 0)
        kill(relay.pid, SIGKILL);
    if (relay.log >= 0) {
        char last[4096];
        ssize_t n;
        while ((n = read(relay.log, last, sizeof last)) > 0)
            for (ssize_t i = 0; i < n; i++)
                log_ring[logged++ % sizeof log_ring] = last[i];
    }
    log_show();
    say(why);
    _exit(status);
}

static void time_is_up(int sig)
{
    (void)sig;
    give_up(EXIT_TIMEOUT, "the time is up; the machine was stopped");
}

static _Noreturn void usage(const char *why)
{
    fprintf(stderr, "exoc-relay: %s\n", why);
    exit(EXIT_MACHINE);
}

// --- the command line ---

static const char *option_value(int argc, char **argv, int *i)
{
    if (*i + 1 >= argc)
        usage("an option lacks its value");
    return argv[++*i];
}

static void option_take(int argc, char **argv, int *i)
{
    const char *name = argv[*i];
    if (strcmp(name, "--trace") == 0)
        relay.trace = 1;
    else if (strcmp(name, "--timeout") == 0)
        relay.timeout = strtod(option_value(argc, argv, i), NULL);
    else if (strcmp(name, "--mem") == 0)
        relay.mem_mib = strtoul(option_value(argc, argv, i), NULL, 10);
    else if (strcmp(name, "--kernel") == 0)
        relay.kernel = option_value(argc, argv, i);
    else if (strcmp(name, "--append") == 0)
        relay.append = option_value(argc, argv, i);
    else if (strcmp(name, "--module") == 0 && relay.nmodules < 16)
        relay.modules[relay.nmodules++] = option_value(argc, argv, i);
    else
        usage("unknown option");
}

static void arguments_take(int argc, char **argv)
{
    int i = 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++)
        option_take(argc, argv, &i);
    relay.machine = argv + i + (i < argc);
    for (i++; i < argc && strcmp(argv[i], "--") != 0; i++)
        ;
    if (i >= argc - 1 || !relay.mem_mib || !relay.kernel)
        usage("--mem, --kernel, a machine and a program are needed");
    argv[i] = NULL;
    relay.program = argv + i + 1;
}

// --- starting the machine ---

static int file_open(const char *path)
{
    int fd = open(path, O_RDONLY); // inherited by the machine
    if (fd < 0) {
        fprintf(stderr, "exoc exec: %s: %s\n", path, strerror(errno));
        exit(EXIT_MACHINE);
    }
    return fd;
}

// Whether standard input can give anything. With nothing to ask for, a run is the same every time.
static const char *input_word(void)
{
    struct stat null, in;
    if (fstat(0, &in) == 0 && stat("/dev/null", &null) == 0 && in.st_rdev == null.st_rdev &&
        S_ISCHR(in.st_mode))
        return "STDIN=none";
    return "STDIN=pull";
}

// The spec: NUL-terminated words "ARGC=n", the arguments, "ENVC=n", the environment, and whether
// there is a standard input.
static int spec_make(void)
{
    static const char *const env[] = {
        "PATH=/bin:/sbin:/usr/bin:/usr/sbin",
        "HOME=/root",
        "USER=root",
        "LOGNAME=root",
        "SHELL=/bin/sh",
        "TERM=dumb",
        "EXOC_TRACE=1",
    };
    int argc = 0;
    int envc = (int)(sizeof env / sizeof *env) - !relay.trace;
    int fd = memfd_create("spec", 0);
    if (fd < 0)
        usage("memfd_create fails");
    while (relay.program[argc])
        argc++;
    dprintf(fd, "ARGC=%d%c", argc, 0);
    for (int i = 0; i < argc; i++)
        write_all(fd, relay.program[i], strlen(relay.program[i]) + 1);
    dprintf(fd, "ENVC=%d%c", envc, 0);
    for (int i = 0; i < envc; i++)
        write_all(fd, env[i], strlen(env[i]) + 1);
    dprintf(fd, "%s%c", input_word(), 0);
    return fd;
}

// One item of QEMU's -initrd list. Its file names end at the first space and its list at commas, so
// files are named by descriptor.
static void initrd_add(char **list, int fd, const char *words, size_t words_length)
{
    char *longer;
    if (asprintf(&longer, "%s%s/proc/self/fd/%d %.*s", *list, **list ? "," : "", fd,
                 (int)words_length, words) < 0)
        usage("out of memory");
    free(*list);
    *list = longer;
}

static char *initrd_make(void)
{
    char *list = strdup("");
    if (!list)
        usage("out of memory");
    for (int i = 0; i < relay.nmodules; i++) {
        const char *equals = strchr(relay.modules[i], '=');
        if (!equals)
            usage("--module wants WORDS=FILE");
        initrd_add(&list, file_open(equals + 1), relay.modules[i],
                   (size_t)(equals - relay.modules[i]));
    }
    initrd_add(&list, spec_make(), "spec", 4);
    return list;
}

static int memory_make(void)
{
    int fd = memfd_create("machine", 0);
    relay.memory_size = relay.mem_mib << 20;
    if (fd < 0 || ftruncate(fd, (off_t)relay.memory_size) < 0)
        usage("no memory for the machine");
    relay.memory = mmap(NULL, relay.memory_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (relay.memory == MAP_FAILED)
        usage("no memory for the machine");
    return fd;
}

__attribute__((format(printf, 3, 4))) static void arg_add(char **args, int *n, const char *format,
                                                          ...)
{
    va_list ap;
    va_start(ap, format);
    if (*n >= ARGS_MAX - 1 || vasprintf(&args[(*n)++], format, ap) < 0)
        usage("too many arguments for the machine");
    va_end(ap);
}

static void machine_exec(int data, int log)
{
    static char *args[ARGS_MAX];
    int n = 0;
    for (char **p = relay.machine; *p; p++)
        arg_add(args, &n, "%s", *p);
    arg_add(args, &n, "-object");
    arg_add(args, &n, "memory-backend-file,id=ram,size=%luM,share=on,mem-path=/proc/self/fd/%d",
            relay.mem_mib, memory_make());
    arg_add(args, &n, "-machine");
    arg_add(args, &n, "memory-backend=ram");
    arg_add(args, &n, "-m");
    arg_add(args, &n, "%luM", relay.mem_mib);
    arg_add(args, &n, "-chardev");
    arg_add(args, &n, "socket,id=log,fd=%d", log);
    arg_add(args, &n, "-serial");
    arg_add(args, &n, "chardev:log");
    arg_add(args, &n, "-chardev");
    arg_add(args, &n, "socket,id=data,fd=%d", data);
    arg_add(args, &n, "-serial");
    arg_add(args, &n, "chardev:data");
    arg_add(args, &n, "-kernel");
    arg_add(args, &n, "%s", relay.kernel);
    arg_add(args, &n, "-append");
    arg_add(args, &n, "%s", relay.append);
    arg_add(args, &n, "-initrd");
    args[n++] = initrd_make();
    pid_t parent = getpid();
    relay.pid = fork();
    if (relay.pid != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_MACHINE);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    dup2(log, 1); // what QEMU itself has to say belongs into the log
    dup2(log, 2);
    execvp(args[0], args);
    dprintf(2, "%s: %s\n", args[0], strerror(errno));
    _exit(EXIT_MACHINE);
}

static void machine_start(void)
{
    int data[2], log[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, data) < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, log) < 0)
        usage("socketpair fails");
    fcntl(data[0], F_SETFD, FD_CLOEXEC);
    fcntl(log[0], F_SETFD, FD_CLOEXEC);
    fcntl(data[0], F_SETFL, O_NONBLOCK);
    fcntl(log[0], F_SETFL, O_NONBLOCK);
    machine_exec(data[1], log[1]);
    if (relay.pid < 0)
        usage("fork fails");
    close(data[1]);
    close(log[1]);
    relay.data = data[0];
    relay.log = log[0];
}

// --- the conversation ---

static void in_queue(enum frame_kind kind, const void *payload, size_t n)
{
    if (n + FRAME_HEAD > sizeof relay.in - relay.in_have)
        give_up(EXIT_MACHINE, "the guest does not read its line");
    frame_head(relay.in + relay.in_have, kind, n);
    memcpy(relay.in + relay.in_have + FRAME_HEAD, payload, n);
    relay.in_have += FRAME_HEAD + n;
}

static void in_send(void)
{
    ssize_t n =
        send(relay.data, relay.in + relay.in_sent, relay.in_have - relay.in_sent, MSG_NOSIGNAL);
    if (n > 0)
        relay.in_sent += (size_t)n;
    if (relay.in_sent == relay.in_have)
        relay.in_sent = relay.in_have = 0;
}

static void stdin_read(void)
{
    uint8_t count[4];
    ssize_t n = read(0, relay.want, relay.want_size);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    frame_put32(count, n > 0 ? (uint32_t)n : 0);
    in_queue(FRAME_GIVE, count, sizeof count);
    relay.want = NULL;
}

static void out_write(int kind, const uint8_t *bytes, size_t n)
{
    if (write_all(kind == FRAME_OUT ? 1 : 2, bytes, n) < 0)
        give_up(EXIT_MACHINE, "the program's output cannot be written");
}

// The guest's physical memory as QEMU's PC lays it out: from 3.5 GiB on, all beyond 3 GiB is
// above 4.
static uint8_t *guest_memory(uint64_t address, uint64_t length)
{
    const uint64_t gib = 1ull << 30;
    uint64_t low = relay.memory_size >= 3 * gib + gib / 2 ? 3 * gib : relay.memory_size;
    if (address >= 4 * gib)
        address = address - 4 * gib + low;
    else if (address >= low || length > low - address)
        return NULL;
    if (address >= relay.memory_size || length > relay.memory_size - address)
        return NULL;
    return relay.memory + address;
}

static void bulk_act(const struct frame *f)
{
    struct frame_bulk bulk;
    uint8_t *bytes = NULL;
    if (frame_bulk_get(f, &bulk) == 0)
        bytes = guest_memory(bulk.address, bulk.length);
    if (!bytes)
        give_up(EXIT_MACHINE, "the guest named memory that it does not have");
    if (f->kind == FRAME_WANT) {
        relay.want = bytes;
        relay.want_size = bulk.length;
        return;
    }
    out_write(bulk.kind, bytes, bulk.length);
    in_queue(FRAME_DONE, "", 0);
}

static void frame_act(const struct frame *f)
{
    switch (f->kind) {
    case FRAME_OUT:
    case FRAME_ERR:
        out_write(f->kind, f->payload, f->length);
        break;
    case FRAME_BULK:
    case FRAME_WANT:
        bulk_act(f);
        break;
    case FRAME_READY:
        break;
    case FRAME_EXIT:
        if (f->length == 4) {
            relay.status = (int)frame_get32(f->payload);
            relay.finished = 1;
            break;
        }
        // fall through
    default:
        give_up(EXIT_MACHINE, "the guest sent what is no frame");
    }
}

static void data_read(void)
{
    static uint8_t bytes[65536];
    struct frame f;
    ssize_t n = read(relay.data, bytes, sizeof bytes);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        close(relay.data);
        relay.data = -1;
        return;
    }
    for (size_t at = 0; at < (size_t)n && !relay.finished;) {
        at += frame_take(&relay.reader, bytes + at, (size_t)n - at, &f);
        if (f.kind != FRAME_NONE)
            frame_act(&f);
    }
}

static void log_read(void)
{
    char bytes[4096];
    ssize_t n = read(relay.log, bytes, sizeof bytes);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        close(relay.log);
        relay.log = -1;
        return;
    }
    if (relay.trace)
        write_all(2, bytes, (size_t)n);
    for (ssize_t i = 0; i < n; i++)
        log_ring[logged++ % sizeof log_ring] = bytes[i];
}

static long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// One round. Returns 0 when both lines are closed, which is when the machine has ended.
static int converse(int wait_ms)
{
    int want_in = relay.want && !relay.finished;
    int want_out = relay.in_have > 0;
    struct pollfd fds[] = {
        {.fd = relay.data, .events = (short)(POLLIN | (want_out ? POLLOUT : 0))},
        {.fd = relay.log, .events = POLLIN},
        {.fd = want_in ? 0 : -1, .events = POLLIN},
    };
    if (relay.data < 0 && relay.log < 0)
        return 0;
    if (poll(fds, 3, wait_ms) < 0)
        return 1;
    if (fds[0].revents & POLLOUT)
        in_send();
    if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
        data_read();
    if (fds[1].revents)
        log_read();
    if (fds[2].revents)
        stdin_read();
    return 1;
}

// How the machine itself ended: 0 if in good order (power off, or the exit device written with 0),
// else told.
static int machine_wait(void)
{
    int status;
    while (waitpid(relay.pid, &status, 0) < 0 && errno == EINTR)
        ;
    relay.pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
        return 0;
    if (WIFSIGNALED(status))
        fprintf(stderr, "exoc exec: the machine was killed by signal %d\n", WTERMSIG(status));
    else // the exit device makes 2 n + 1 of n
        fprintf(stderr, "exoc exec: the machine powered off with %d\n", WEXITSTATUS(status) / 2);
    return 1;
}

static void limit_set(void)
{
    time_t whole = (time_t)relay.timeout;
    struct itimerval limit = {
        .it_value = {whole, (suseconds_t)((relay.timeout - (double)whole) * 1e6)},
    };
    signal(SIGALRM, time_is_up);
    setitimer(ITIMER_REAL, &limit, NULL);
}

// A caller may have closed 0, 1 or 2: nothing of ours may take their place.
static void standard_fds_hold(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= 2);
    close(fd);
}

int main(int argc, char **argv)
{
    standard_fds_hold();
    arguments_take(argc, argv);
    machine_start();
    if (relay.timeout > 0)
        limit_set();
    while (!relay.finished && converse(-1))
        ;
    if (!relay.finished) {
        machine_wait();
        give_up(EXIT_MACHINE, "the machine ended before the program did");
    }
    long end = now_ms() + GRACE_MS;
    long left;
    while ((left = end - now_ms()) > 0 && converse((int)left))
        ;
    if (left <= 0)
        give_up(EXIT_MACHINE, "the program ended but the machine does not power off");
    if (machine_wait())
        give_up(EXIT_MACHINE, "the machine ended in disorder after the program");
    return relay.status & 0xff;
}
