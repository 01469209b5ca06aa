// SPDX-License-Identifier: MIT
//
// kill -9 at random moments. A company of processes shares pipes, a file with its locks, a terminal
// and waits for its children. The director hands the CPU to one after the other for random times,
// from ten instructions up, stops and continues some, and kills one again and again, which a new
// process replaces. At the end of a round one side of the pipes dies out, and the other must see
// it; then everything must be as before the round. Who is killed when is the seed's decision alone.
#include "death.h"
#include <poll.h>
#include <sys/stat.h>
#include <termios.h>

#define MEMBERS    10
#define ROUND      50 // kills
#define RECORD     64
#define SAW_END    40
#define SAW_BROKEN 41
#define BAD        90

static int a[2], b[2]; // writers -> readers -> collectors
static int file, master;
static char line[32];
static uint64_t state;
static unsigned failures, kills_done;

static struct member {
    pid_t pid;
    exo_handle_t peer;
    bool stopped;
} members[MEMBERS];

static uint64_t any(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % below;
}

static void wrong(const char *what, long long got, long long want)
{
    printf("# after %u kills: %s: %lld, want %lld, errno %d\n", kills_done, what, got, want, errno);
    failures++;
}

static void same(const char *what, long long got, long long want)
{
    if (got != want)
        wrong(what, got, want);
}

static void hung(int signal)
{
    (void)signal;
    printf("# after %u kills: hang\nBail out!\n", kills_done);
    fflush(stdout);
    _exit(1);
}

// --- what members do, for ever

static void record_make(char *record, unsigned n)
{
    memset(record, 'a' + (int)(n % 26), RECORD);
}

static bool record_good(const char *record)
{
    for (int i = 1; i < RECORD; i++)
        if (record[i] != record[0])
            return false;
    return record[0] >= 'a' && record[0] <= 'z';
}

static void put(int fd, const char *record)
{
    ssize_t n = write(fd, record, RECORD);

    if (n == -1 && errno == EPIPE)
        _exit(SAW_BROKEN);
    if (n != RECORD)
        _exit(BAD);
}

static void get(int fd, char *record)
{
    ssize_t n = read(fd, record, RECORD);

    if (n == 0)
        _exit(SAW_END);
    if (n != RECORD || !record_good(record))
        _exit(BAD + 1);
}

static void append(const char *record)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(file, F_SETLKW, &lock))
        _exit(BAD + 2);
    put(file, record);
    lock.l_type = F_UNLCK;
    if (fcntl(file, F_SETLK, &lock))
        _exit(BAD + 3);
}

static void writer(unsigned me)
{
    char record[RECORD];

    close(a[0]), close(b[0]), close(b[1]), close(master);
    for (unsigned n = me;; n++) {
        record_make(record, n);
        put(a[1], record);
        if (n % 4 == 0)
            append(record);
    }
}

static void reader(unsigned me)
{
    char record[RECORD];

    (void)me;
    close(a[1]), close(b[0]), close(master);
    for (;;) {
        get(a[0], record);
        put(b[1], record);
    }
}

static void collector(unsigned me)
{
    char record[RECORD];

    (void)me;
    close(a[0]), close(a[1]), close(b[1]), close(master);
    fcntl(b[0], F_SETFL, fcntl(b[0], F_GETFL) | O_NONBLOCK);
    for (;;) {
        struct pollfd f = {b[0], POLLIN, 0};
        if (poll(&f, 1, -1) != 1)
            _exit(BAD + 4);
        ssize_t n = read(b[0], record, RECORD);
        if (n == 0)
            _exit(SAW_END);
        if (n == -1 && errno == EAGAIN)
            continue; // another collector was quicker
        if (n != RECORD || !record_good(record))
            _exit(BAD + 5);
    }
}

static void family(unsigned me)
{
    char record[RECORD];
    int status;

    close(b[0]), close(b[1]), close(master), close(a[0]);
    record_make(record, me);
    for (unsigned n = 0;; n++) {
        pid_t child = n % 3 == 2 ? vfork() : fork();
        if (child == 0) {
            if (n % 3 == 2)
                execv(self, no_arguments);
            put(a[1], record);
            _exit(STATUS);
        }
        if (child < 0 || waitpid(child, &status, 0) != child)
            _exit(BAD + 6);
        if (status == SAW_BROKEN << 8)
            _exit(SAW_BROKEN);
        if (status != STATUS << 8)
            _exit(BAD + 7);
    }
}

static void terminal(unsigned me)
{
    struct termios t;

    (void)me;
    close(a[0]), close(a[1]), close(b[0]), close(b[1]), close(master);
    for (;;) {
        int fd = open(line, O_RDWR | O_NOCTTY);
        if (fd < 0)
            _exit(errno == EIO || errno == ENOENT || errno == ENXIO ? SAW_END : BAD + 8);
        if (tcgetattr(fd, &t) || (write(fd, "x\n", 2) != 2 && errno != EIO))
            _exit(errno == EIO ? SAW_END : BAD + 9);
        close(fd);
    }
}

static void names(unsigned me)
{
    char from[16], to[16], block[5000];

    close(a[0]), close(a[1]), close(b[0]), close(b[1]), close(master);
    memset(block, 'n', sizeof(block));
    snprintf(from, sizeof(from), "from%u", me);
    snprintf(to, sizeof(to), "to%u", me);
    for (;;) {
        unlink(from);
        int fd = open(from, O_CREAT | O_EXCL | O_RDWR, 0600);
        if (fd < 0 || write(fd, block, sizeof(block)) != sizeof(block))
            _exit(BAD);
        close(fd);
        if (rename(from, to) || unlink(to))
            _exit(BAD);
    }
}

static void (*const roles[MEMBERS])(unsigned) = {writer,    writer, reader, reader,   collector,
                                                 collector, family, family, terminal, names};

// --- the director

static void member_make(unsigned i)
{
    struct member *m = &members[i];

    m->stopped = false;
    m->pid = fork();
    if (m->pid == 0) {
        alarm(0);
        roles[i](i);
        _exit(BAD);
    }
    int64_t peer = m->pid > 0 ? libos_peer(m->pid) : -1;
    if (peer < 0) {
        wrong("a member", peer, 0);
        exit(1);
    }
    m->peer = (exo_handle_t)peer;
}

static void member_end(unsigned i, int want)
{
    struct member *m = &members[i];
    int status = -1;

    same("the dead", waitpid(m->pid, &status, 0), m->pid);
    if (status != want) {
        printf("# member %u\n", i);
        wrong("its status", status, want);
    }
    exo_cap_delete(m->peer);
    m->pid = 0;
}

static void member_kill(unsigned i)
{
    same("kill", kill(members[i].pid, SIGKILL), 0);
    member_end(i, SIGKILL);
    kills_done++;
}

static void drain(void)
{
    char text[256];

    while (read(master, text, sizeof(text)) > 0)
        ;
}

static void step(void)
{
    struct member *m = &members[any(MEMBERS)];

    if (m->stopped || any(40) == 0) {
        kill(m->pid, m->stopped ? SIGCONT : SIGSTOP);
        m->stopped = !m->stopped;
    }
    libos_yield_to(m->peer, 10ull << any(13));
    drain();
}

static void round_begin(void)
{
    file = open("shared", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    master = posix_openpt(O_RDWR | O_NOCTTY);
    if (file < 0 || master < 0 || pipe(a) || pipe(b) || unlockpt(master) ||
        ptsname_r(master, line, sizeof(line))) {
        wrong("a round", -1, 0);
        exit(1);
    }
    fcntl(master, F_SETFL, O_NONBLOCK);
    for (unsigned i = 0; i < MEMBERS; i++)
        member_make(i);
}

static void continue_all(void)
{
    for (unsigned i = 0; i < MEMBERS; i++)
        if (members[i].stopped)
            kill(members[i].pid, SIGCONT);
}

static void kill_role(void (*role)(unsigned))
{
    for (unsigned i = 0; i < MEMBERS; i++)
        if (roles[i] == role)
            member_kill(i);
}

static void end_role(void (*role)(unsigned), int code)
{
    for (unsigned i = 0; i < MEMBERS; i++)
        if (roles[i] == role)
            member_end(i, code << 8);
}

static void file_check(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char record[RECORD];
    struct stat st;

    for (int i = 0; i < 300 && fcntl(file, F_SETLK, &lock); i++)
        usleep(1000);
    same("the lock is free", fcntl(file, F_SETLK, &lock), 0);
    same("file", fstat(file, &st), 0);
    same("whole records", st.st_size % RECORD, 0);
    for (int64_t at = 0; at < st.st_size; at += RECORD) {
        same("record", pread(file, record, RECORD, at), RECORD);
        same("good record", record_good(record), true);
    }
    close(file);
    unlink("shared");
    unlink("from9");
    unlink("to9");
}

// From the source down everybody sees the end, or from the sink up that nobody reads any more.
static void round_end(bool down)
{
    continue_all();
    if (down) {
        close(a[0]), close(a[1]), close(b[0]), close(b[1]);
        kill_role(writer);
        kill_role(family);
        end_role(reader, SAW_END);
        end_role(collector, SAW_END);
    } else {
        close(b[0]), close(b[1]);
        kill_role(collector);
        end_role(reader, SAW_BROKEN);
        close(a[0]), close(a[1]);
        end_role(writer, SAW_BROKEN);
        end_role(family, SAW_BROKEN);
    }
    kill_role(names);
    close(master);
    end_role(terminal, SAW_END);
    file_check();
}

struct level {
    uint64_t sold, envs;
};

static struct level level(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    struct level l = {0};

    exo_cap_identify(libos_bank(), &info);
    l.sold = info.used;
    for (uint64_t i = 0; i < EXO_INFO->envs; i++)
        l.envs += EXO_ENVS[i].state != EXO_ENV_FREE;
    return l;
}

static struct level level_wait(struct level want)
{
    struct level l = level();

    for (int i = 0; i < 1000 && (l.sold != want.sold || l.envs != want.envs); i++) {
        usleep(1000);
        l = level();
    }
    return l;
}

int storm(unsigned kills, unsigned seed)
{
    struct level base = {0};

    state = seed * 0x9e3779b97f4a7c15ull + 1;
    signal(SIGALRM, hung);
    signal(SIGPIPE, SIG_IGN);
    if (chdir("/tmp"))
        return 1;
    for (unsigned round = 0; kills_done < kills && failures < 20; round++) {
        alarm(120);
        round_begin();
        for (unsigned end = kills_done + ROUND; kills_done < end;) {
            for (uint64_t steps = 1 + any(20); steps; steps--)
                step();
            unsigned i = (unsigned)any(MEMBERS);
            member_kill(i);
            member_make(i);
        }
        round_end(round % 2 == 0);
        struct level now = level_wait(base);
        if (round > 1) { // by then the caches are full
            same("frames sold", (long long)now.sold, (long long)base.sold);
            same("environments", (long long)now.envs, (long long)base.envs);
        }
        base = now;
        if (round % 20 == 0)
            printf("# %u kills, frames free %llu\n", kills_done,
                   (unsigned long long)EXO_INFO->frames_free);
    }
    printf("%s 1 - %u kills at random moments, seed %u\n1..1\n", failures ? "not ok" : "ok",
           kills_done, seed);
    return failures != 0;
}
