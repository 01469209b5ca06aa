// SPDX-License-Identifier: MIT
// hog KIND: takes all it can get of one thing, says which error ended it, and stays until it is
// killed (KIND with
// "-leave": ends instead). hog pressure: memory that the file server has to give back first. hog
// latency-leave: how long commands take meanwhile. hog count-leave, twenty-leave: how many MiB it
// gets, of all or of 20.
#include <errno.h>
#include <exo/libos.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1ul << 20)

static void say(const char *what, int error)
{
    dprintf(1, "%s: %s\n", what, error ? strerror(error) : "no error");
}

static void stay(void)
{
    for (;;)
        pause();
}

// --- all of one thing
// ------------------------------------------------------------------------------

// Every process forks as long as it can; the first that cannot says so.
static void processes(void)
{
    int said[2];
    char c = 0;
    if (pipe(said) < 0 || write(said[1], &c, 1) != 1)
        exit(1);
    fcntl(said[0], F_SETFL, O_NONBLOCK);
    for (;;) {
        pid_t pid = fork();
        if (pid < 0 && read(said[0], &c, 1) == 1)
            say("fork", errno);
    }
}

// Children that end at once and that nobody waits for.
static void zombies(void)
{
    pid_t pid;
    while ((pid = fork()) > 0)
        ;
    if (pid == 0)
        _exit(0);
    say("fork", errno);
}

// By calls that may refuse; memory that was promised is not touched in vain.
static void memory(void)
{
    void *p;
    while ((p = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) !=
           MAP_FAILED)
        memset(p, 1, MIB);
    say("mmap", errno);
}

// More than there is, promised without looking: whoever touches it dies.
static void overcommit(void)
{
    size_t n = 512 * MIB;
    char *p =
        mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        say("mmap", errno);
    for (size_t i = 0; i < n; i += 4096)
        p[i] = 1;
    say("everything", 0);
}

static void descriptors(void)
{
    while (open("/etc/passwd", O_RDONLY) >= 0)
        ;
    say("open", errno);
}

static void close_all(void)
{
    for (int fd = 3; fd < 4096; fd++)
        close(fd);
}

// Each process has as many as it may, and there is no end of processes.
static void many_descriptors(void)
{
    pid_t pid;
    do {
        close_all();
        while (open("/etc/passwd", O_RDONLY) >= 0)
            ;
    } while (errno == EMFILE && (pid = fork()) == 0);
    if (errno != EMFILE || pid < 0)
        say(errno == EMFILE ? "fork" : "open", errno);
    stay();
}

static void pipes(void)
{
    int ends[2];
    while (pipe(ends) == 0)
        if (write(ends[1], "x", 1) != 1)
            break;
    say("pipe", errno);
}

static void many_pipes(void)
{
    pid_t pid = 0;
    do {
        int ends[2];
        close_all();
        while (pipe(ends) == 0)
            ;
    } while (errno == EMFILE && (pid = fork()) == 0);
    if (errno != EMFILE || pid < 0)
        say(errno == EMFILE ? "fork" : "pipe", errno);
    stay();
}

// --- memory that somebody has to give back
// ---------------------------------------------------------

static uint64_t bank_room(void)
{
    struct exo_cap_info info = {.size = sizeof(info)};
    return exo_cap_identify(libos_bank(), &info) < 0 ? 0 : info.length - info.used;
}

// Files of 1 MiB until the volume is full. Returns how many.
static int fill_volume(void)
{
    static char block[65536];
    char name[32];
    for (int n = 0;; n++) {
        snprintf(name, sizeof(name), "/tmp/fill%d", n);
        int fd = open(name, O_CREAT | O_WRONLY, 0600);
        memset(block, n + 1, sizeof(block));
        for (size_t at = 0; fd >= 0 && at < MIB; at += sizeof(block)) {
            if (write(fd, block, sizeof(block)) != sizeof(block)) {
                close(fd);
                return n;
            }
        }
        if (fd < 0)
            return n;
        close(fd);
    }
}

static int file_is(int n)
{
    char name[32], byte, want = (char)(n + 1);
    size_t good = 0;
    snprintf(name, sizeof(name), "/tmp/fill%d", n);
    FILE *f = fopen(name, "r");
    while (f && fread(&byte, 1, 1, f) == 1)
        good += byte == want;
    if (f)
        fclose(f);
    return good == MIB;
}

static void pressure(void)
{
    int n = fill_volume();
    char name[32];
    for (int i = 1; i <= n; i++) {
        snprintf(name, sizeof(name), "/tmp/fill%d", i);
        unlink(name);
    }
    size_t bytes = bank_room() * 4096 + 8 * MIB;
    char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    dprintf(1, "%s files; ", n >= 10 ? "many" : "few");
    say("mmap", p == MAP_FAILED ? errno : 0);
    if (p == MAP_FAILED)
        exit(1);
    memset(p, 7, bytes);
    dprintf(1, "file 0 is %s\n", file_is(0) ? "whole" : "damaged");
    munmap(p, bytes);
    int again = fill_volume(); // and back: files get what nobody uses now
    dprintf(1, "again %s files\n", again >= n - 3 ? "as many" : "fewer");
    dprintf(2, "%d files, %zu bytes, again %d\n", n, bytes, again);
}

// What somebody at the shell would notice: how long commands take, the slowest of 20.
static void latency(void)
{
    uint64_t slowest = 0, all = 0;
    for (int i = 0; i < 20; i++) {
        exo_ns_t before = exo_clock_ns();
        int status = system("ls / >/dev/null");
        uint64_t took = exo_clock_ns() - before;
        if (status != 0)
            exit(1);
        all += took;
        slowest = took > slowest ? took : slowest;
    }
    dprintf(2, "a command took %llu ms, the slowest %llu ms\n",
            (unsigned long long)(all / 20 / 1000000), (unsigned long long)(slowest / 1000000));
    say(slowest < 3000000000ull ? "the shell works" : "the shell is slow", 0);
}

static int touched(int most)
{
    int n = 0;
    void *p;
    while (n < most && (p = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                                 0)) != MAP_FAILED) {
        memset(p, 1, MIB);
        n++;
    }
    return n;
}

static void count(void)
{
    printf("%d\n", touched(1 << 20));
}

static void twenty(void)
{
    printf("%d MiB\n", touched(20));
}

static const struct {
    const char *name;
    void (*run)(void);
} kinds[] = {
    {"processes", processes},
    {"zombies", zombies},
    {"memory", memory},
    {"overcommit", overcommit},
    {"descriptors", descriptors},
    {"many-descriptors", many_descriptors},
    {"pipes", pipes},
    {"many-pipes", many_pipes},
    {"pressure-leave", pressure},
    {"latency-leave", latency},
    {"count-leave", count},
    {"twenty-leave", twenty},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t n = strlen(argv[1]);
        bool leave = n > 6 && !strcmp(argv[1] + n - 6, "-leave");
        if (strcmp(argv[1], kinds[i].name) &&
            !(leave && n - 6 == strlen(kinds[i].name) && !strncmp(argv[1], kinds[i].name, n - 6)))
            continue;
        kinds[i].run();
        if (!leave)
            stay();
        return 0;
    }
    fprintf(stderr, "usage: hog KIND[-leave]\n");
    return 2;
}
