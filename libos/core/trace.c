// SPDX-License-Identifier: MIT
//
// EXOC_TRACE in the environment of a program: a line for each system call, as strace prints them,
// decoded by syscalls.def. The value is a file to append to; "1" or nothing means descriptor 2 as
// it is when the program starts. The tracer stands before the table of calls, so that nothing of it
// is in the way when it is off.
#include <stdarg.h>
#include <core/core.h>
#include <lx/fcntl.h>

size_t format_text(char *text, size_t max, const char *f, va_list args);
long px_open(uint64_t path, uint32_t flags, uint32_t mode);
long px_write(int fd, uint64_t buf, size_t n);
long px_close(int fd);
long px_fcntl(int fd, int cmd, uint64_t arg);

#define TRACE_FD_FROM 200 // out of the program's way
#define TEXT_SHOWN    32

bool trace_on;
static int trace_fd = -1;

struct line {
    char text[512];
    size_t used;
};

static void __attribute__((format(printf, 2, 3))) add(struct line *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    l->used += format_text(l->text + l->used, sizeof l->text - l->used, format, args);
    va_end(args);
}

static void add_bytes(struct line *l, const char *s, size_t n)
{
    add(l, "\"");
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\n')
            add(l, "\\n");
        else if (s[i] < ' ' || s[i] == '"' || s[i] == 127)
            add(l, "\\x%x", (uint8_t)s[i]);
        else
            add(l, "%c", s[i]);
    }
    add(l, "\"");
}

static void add_buffer(struct line *l, uint64_t at, uint64_t n)
{
    char text[TEXT_SHOWN];
    size_t shown = n < sizeof text ? n : sizeof text;
    if (user_read(text, at, shown)) {
        add(l, "0x%lx", at);
        return;
    }
    add_bytes(l, text, shown);
    if (shown < n)
        add(l, "...");
}

static void add_string(struct line *l, uint64_t at)
{
    char text[128];
    long n = user_string(text, at, sizeof text);
    if (n == -LX_EFAULT)
        add(l, "0x%lx", at);
    else
        add_bytes(l, text, n < 0 ? sizeof text - 1 : (size_t)n);
}

static void add_arg(struct line *l, char kind, const long *a, unsigned i)
{
    if (kind == 'd' || kind == 'f')
        add(l, "%d", (int)a[i]);
    else if (kind == 'u')
        add(l, "%lu", (uint64_t)a[i]);
    else if (kind == 's' && a[i])
        add_string(l, (uint64_t)a[i]);
    else if (kind == 'b' && i < 5)
        add_buffer(l, (uint64_t)a[i], (uint64_t)a[i + 1]);
    else if (a[i])
        add(l, "0x%lx", (uint64_t)a[i]);
    else
        add(l, "0");
}

static const char *const errno_names[] = {
#define X(name) [LX_##name] = #name,
    LX_ERRNO_LIST(X)
#undef X
};

static void add_result(struct line *l, long r)
{
    if (r >= 0 || r < -LX_ERRNO_MAX)
        add(l, r >= 0 && r < 1 << 20 ? ") = %ld\n" : ") = 0x%lx\n", r);
    else if (-r < (long)(sizeof errno_names / sizeof errno_names[0]) && errno_names[-r])
        add(l, ") = -1 %s\n", errno_names[-r]);
    else
        add(l, ") = -%ld\n", -r);
}

static void show_call(struct line *l, uint32_t nr, const long *a)
{
    const char *name = syscall_name(nr);
    add(l, "[%d] ", thread_self()->tid);
    if (name)
        add(l, "%s(", name);
    else
        add(l, "call_%u(", nr);
    const char *kinds = syscall_args(nr);
    for (unsigned i = 0; i < 6 && kinds[i]; i++) {
        if (i)
            add(l, ", ");
        add_arg(l, kinds[i], a, i);
    }
}

// Buffers that a call fills are shown before it, so only calls that take bytes ('b' in a write)
// look right.
static long traced(long a, long b, long c, long d, long e, long f)
{
    uint32_t nr = sys_frame()->nr;
    struct line line = {.used = 0};
    const long args[6] = {a, b, c, d, e, f};
    int fd = trace_fd;
    show_call(&line, nr, args);
    if (nr == 59 || nr == 60 || nr == 231 || nr == 15) { // may not come back
        add(&line, ") ...\n");
        px_write(fd, (uint64_t)line.text, line.used);
        line.used = 0;
        show_call(&line, nr, args);
    }
    long r = libos_inner[nr](a, b, c, d, e, f);
    add_result(&line, r);
    if (trace_on)
        px_write(trace_fd, (uint64_t)line.text, line.used);
    return r;
}

const syscall_fn trace_table[LIBOS_NCALLS] = {[0 ... LIBOS_NCALLS - 1] = traced};

void trace_start(const char *where)
{
    long fd = 2;
    bool file = where[0] && !(where[0] == '1' && !where[1]);
    if (file)
        fd = px_open((uint64_t)where, LX_O_WRONLY | LX_O_CREAT | LX_O_APPEND | LX_O_CLOEXEC, 0666);
    if (fd < 0)
        return;
    long high = px_fcntl((int)fd, LX_F_DUPFD_CLOEXEC, TRACE_FD_FROM);
    if (file)
        px_close((int)fd);
    if (high < 0)
        return;
    trace_fd = (int)high;
    trace_on = true;
    calls_choose();
}

void trace_stop(void)
{
    trace_on = false;
    calls_choose();
    if (trace_fd >= 0)
        px_close(trace_fd);
    trace_fd = -1;
}
