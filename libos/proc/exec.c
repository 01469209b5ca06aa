// SPDX-License-Identifier: MIT
//
// exec: another program in the same process.
//
// Everything that can be found wrong is found first, while the old program still stands: the file,
// the right to execute it, the chain of "#!" interpreters, the ELF headers of the program and of
// its interpreter, the size of the arguments. Then comes the point of no return; after it only an
// empty bank can fail, and that ends the process. The environment, its capability table and the
// libOS stay; what the standard says a program loses is dropped: memory, close-on-exec descriptors,
// handlers, timers of POSIX, alternate stack.
//
// A set-user-id or set-group-id program must not run in an environment its caller has ever held:
// init builds a fresh one and takes the pid over to it (PROC_OP_SETID_EXEC).
//
// The right to execute is checked here for the right error. It protects nothing that reading does
// not already give; what may be read is fsd's decision.
#include <proc/exec.h>
#include <mem/mem.h>
#include <fs/file.h>
#include <proc/exename.h>

#define SCRIPT_DEPTH   4
#define SIGKILL_STATUS 9

struct exec {
    char *path; // of the file to load (the last interpreter of a script), in the heap
    char *exe;  // what /proc/self/exe will name it; NULL: not known
    struct args args;
    struct source program, interp;
    struct elf elf, interp_elf;
    uint32_t setid; // S_ISUID | S_ISGID of the file, where they would change anything
    struct lx_stat st;
    char comm[16];
};

static void exec_free(struct exec *x)
{
    if (!x)
        return;
    args_free(&x->args);
    if (x->program.file)
        file_put(x->program.file);
    if (x->interp.file)
        file_put(x->interp.file);
    heap_free(x->elf.ph);
    heap_free(x->interp_elf.ph);
    heap_free(x->path);
    heap_free(x->exe);
    heap_free(x);
}

static void exec_undo(void *x)
{
    exec_free(x);
}

static int set_path(struct exec *x, const char *path)
{
    size_t n = strlen(path) + 1;
    char *copy = heap_alloc(n);
    if (!copy)
        return -LX_ENOMEM;
    memcpy(copy, path, n);
    heap_free(x->path);
    x->path = copy;
    return 0;
}

// --- finding the program
static bool in_group(uint32_t gid)
{
    const volatile struct proc_rec *me = proc_self();
    if (me->egid == gid)
        return true;
    for (uint32_t i = 0; i < me->ngroups && i < PROC_NGROUPS; i++)
        if (me->groups[i] == gid)
            return true;
    return false;
}

static bool may_execute(const struct lx_stat *st)
{
    const volatile struct proc_rec *me = proc_self();
    if (me->euid == 0)
        return st->st_mode & 0111;
    if (me->euid == st->st_uid)
        return st->st_mode & 0100;
    return st->st_mode & (in_group(st->st_gid) ? 010 : 01);
}

// Mode bits that everybody passes need no question to fsd.
static int check_right(struct exec *x, struct file *file)
{
    if (!LX_S_ISREG(file->mode))
        return -LX_EACCES;
    if ((file->mode & 0111) == 0111 && !(file->mode & (LX_S_ISUID | LX_S_ISGID)))
        return 0;
    int error = file_stat(file, &x->st);
    if (error)
        return error;
    if (!may_execute(&x->st))
        return -LX_EACCES;
    const volatile struct proc_rec *me = proc_self();
    if (me->flags & PROC_F_CONFINED)
        return 0;
    if (x->st.st_mode & LX_S_ISUID && me->euid != x->st.st_uid)
        x->setid |= LX_S_ISUID;
    if (x->st.st_mode & LX_S_ISGID && x->st.st_mode & 010 && me->egid != x->st.st_gid)
        x->setid |= LX_S_ISGID;
    return 0;
}

static int open_source(struct exec *x, const char *path, struct file *file, struct source *s)
{
    long error = 0;
    if (!file)
        file = file_open_path(0, path, LX_O_RDONLY | LX_O_CLOEXEC, &error);
    if (!file)
        return (int)error;
    x->setid = 0; // only the last file of a chain counts
    error = check_right(x, file);
    if (error) {
        file_put(file);
        return (int)error;
    }
    *s = (struct source){.file = file, .size = file_size(file)};
    return 0;
}

static void set_comm(struct exec *x, const char *path)
{
    const char *base = path;
    for (const char *p = path; *p; p++)
        if (*p == '/' && p[1])
            base = p + 1;
    size_t n = strlen(base);
    n = n < sizeof x->comm - 1 ? n : sizeof x->comm - 1;
    memset(x->comm, 0, sizeof x->comm);
    memcpy(x->comm, base, n);
}

// 1: x->path is an interpreter now, look again. 0: not a script.
static int follow_script(struct exec *x)
{
    char head[SCRIPT_HEAD + 1], *interp, *arg;
    long n = source_read(&x->program, head, SCRIPT_HEAD, 0);
    if (n < 0)
        return (int)n;
    if (n < 2 || head[0] != '#' || head[1] != '!')
        return 0;
    int error = script_parse(head, (size_t)n, &interp, &arg);
    if (!error)
        error = strings_script(&x->args.argv, interp, arg, x->path);
    if (!error)
        error = set_path(x, interp);
    if (error)
        return error;
    file_put(x->program.file);
    x->program = (struct source){0};
    return 1;
}

static int load_interp_headers(struct exec *x)
{
    char path[ELF_INTERP + 1] = {0};
    if (!x->elf.interp)
        return 0;
    if (source_read(&x->program, path, x->elf.interp_len, x->elf.interp) != (long)x->elf.interp_len)
        return -LX_ENOEXEC;
    uint32_t setid = x->setid;
    struct lx_stat st = x->st; // whose ids are claimed: the program's, never its interpreter's
    int error = open_source(x, path, NULL, &x->interp);
    x->setid = setid;
    x->st = st;
    if (!error)
        error = elf_read(&x->interp_elf, &x->interp);
    return error == -LX_ENOEXEC ? -80 : error; // ELIBBAD
}

// `file`: already open (execveat), or NULL.
static int prepare(struct exec *x, struct file *file)
{
    set_comm(x, x->path);
    for (int depth = 0;; depth++) {
        int error = open_source(x, x->path, file, &x->program);
        file = NULL;
        if (!error)
            error = follow_script(x);
        if (error < 0)
            return error;
        if (!error)
            break;
        if (depth >= SCRIPT_DEPTH)
            return -LX_ELOOP;
    }
    x->exe = exe_name_of(x->path, x->program.file);
    int error = elf_read(&x->elf, &x->program);
    return error ? error : load_interp_headers(x);
}

// --- the change
static int load(struct exec *x, struct loaded *l)
{
    uint64_t bias = x->elf.head.e_type == LX_ET_DYN ? APP_PIE_BASE : 0;
    int error = elf_load(&x->elf, &x->program, bias);
    if (error)
        return error;
    brk_set_start(page_up(x->elf.high + bias));
    *l = (struct loaded){
        .entry = x->elf.head.e_entry + bias,
        .at_entry = x->elf.head.e_entry + bias,
        .at_phdr = x->elf.phdr ? x->elf.phdr + bias : 0,
        .phnum = x->elf.head.e_phnum,
        .path = x->path,
    };
    if (!x->interp.file)
        return 0;
    uint64_t base = 0;
    if (x->interp_elf.head.e_type == LX_ET_DYN) {
        base = region_place(x->interp_elf.high - x->interp_elf.low, PART_SIZE, 0, APP_MAP_TOP);
        base -= x->interp_elf.low;
    }
    l->at_base = base;
    l->entry = x->interp_elf.head.e_entry + base;
    return elf_load(&x->interp_elf, &x->interp, base);
}

static void tell_init(const struct exec *x)
{
    uint8_t *m = msg_page();
    const struct strings *argv = &x->args.argv;
    size_t n = argv->used < 128 ? argv->used : 128;
    memcpy(m, x->comm, sizeof x->comm);
    memcpy(m + sizeof x->comm, argv->text, n);
    struct exo_msg msg = {.meta = EXO_META(sizeof x->comm + n, 0), .w = {PROC_OP_EXECED}};
    server_call(H_INIT, &msg);
}

static void fpu_reset(void)
{
    uint32_t mxcsr = 0x1f80;
    __asm__ volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
}

static void __attribute__((noreturn)) enter(struct exec *x, uint64_t at_start)
{
    struct loaded l;
    uint64_t sp;
    struct exo_save regs;
    exe_set(x->exe ? x->exe : x->path);
    int error = load(x, &l);
    l.at_start = at_start;
    if (!error)
        error = stack_build(&x->args, &l, &sp);
    if (error) {
        libos_log("exec: %s: error %d past the point of no return\n", x->path, -error);
        proc_exit(SIGKILL_STATUS);
    }
    const char *trace = strings_find(&x->args.envp, "EXOC_TRACE=");
    if (trace)
        trace_start(trace);
    if (!x->program.frames) // a server is no process to init
        tell_init(x);
    exec_free(x);
    thread_set_fs(0);
    fpu_reset();
    regs_start(&regs, l.entry, sp);
    sys_resume(&regs);
}

static void __attribute__((noreturn)) commit(struct exec *x)
{
    struct thread *t = thread_self();
    fd_close_on_exec();
    trace_stop();
    mem_drop_application();
    timer_after_exec();
    sig_after_exec();
    t->clear_child_tid = 0;
    t->cp_begin = t->cp_end = 0;
    enter(x, 0);
}

// --- calls
static long execute(struct exec *x, struct file *file, uint64_t argv, uint64_t envp)
{
    size_t total = 0;
    int error = strings_copy(&x->args.argv, argv, &total);
    if (!error)
        error = strings_copy(&x->args.envp, envp, &total);
    if (error && file)
        file_put(file);
    if (!error && !x->args.argv.count)
        error = strings_add(&x->args.argv, "", 0); // as Linux since 5.18
    if (!error)
        error = prepare(x, file);
    if (!error && x->setid && vfork_active())
        error = (int)vfork_leave(exec_undo, x);
    if (!error && x->setid)
        error = setid_exec(x->path, &x->args);
    if (!error && vfork_active())
        error = (int)vfork_exec(exec_undo, x);
    if (!error)
        commit(x);
    exec_free(x);
    return error;
}

// A struct exec with the application's path; NULL and an error. An empty path is for the caller to
// judge.
static struct exec *exec_new(uint64_t upath, long *error)
{
    char path[LX_PATH_MAX];
    long n = user_string(path, upath, sizeof path);
    *error = n < 0 ? n : -LX_ENOMEM;
    struct exec *x = n < 0 ? NULL : heap_alloc(sizeof *x);
    if (x && set_path(x, path)) {
        heap_free(x);
        x = NULL;
    }
    return x;
}

long px_execve(uint64_t path, uint64_t argv, uint64_t envp)
{
    long error;
    struct exec *x = exec_new(path, &error);
    if (!x)
        return error;
    if (!x->path[0]) {
        exec_free(x);
        return -LX_ENOENT;
    }
    return execute(x, NULL, argv, envp);
}

long px_openat(int dirfd, uint64_t path, uint32_t flags, uint32_t mode);
long px_close(int fd);

#define AT_FDCWD            (-100)
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_EMPTY_PATH       0x1000

static int name_fd(struct exec *x, int fd)
{
    char name[24] = "/dev/fd/", digits[12];
    unsigned n = 0, at = 8;
    do
        digits[n++] = (char)('0' + fd % 10);
    while ((fd /= 10));
    while (n)
        name[at++] = digits[--n];
    return set_path(x, name);
}

// The file that execveat names by descriptor; NULL and an error. Other names go the way of execve.
static struct file *file_at(struct exec *x, int dirfd, uint64_t path, int flags, long *error)
{
    struct file *file = NULL;
    if (x->path[0]) {
        uint32_t how =
            LX_O_RDONLY | LX_O_CLOEXEC | (flags & AT_SYMLINK_NOFOLLOW ? LX_O_NOFOLLOW : 0);
        long fd = px_openat(dirfd, path, how, 0);
        *error = fd;
        if (fd < 0)
            return NULL;
        file = file_get((int)fd);
        px_close((int)fd);
    } else if (dirfd >= 0) {
        file = file_get(dirfd);
        *error = file ? name_fd(x, dirfd) : -LX_EBADF;
        if (file && *error) {
            file_put(file);
            file = NULL;
        }
    } else {
        *error = -LX_EBADF;
    }
    return file;
}

long px_execveat(int dirfd, uint64_t path, uint64_t argv, uint64_t envp, int flags)
{
    long error;
    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -LX_EINVAL;
    struct exec *x = exec_new(path, &error);
    if (!x)
        return error;
    if (!x->path[0] && !(flags & AT_EMPTY_PATH)) {
        exec_free(x);
        return -LX_ENOENT;
    }
    bool plain = x->path[0] == '/' || (x->path[0] && dirfd == AT_FDCWD);
    if (plain && !(flags & AT_SYMLINK_NOFOLLOW))
        return execute(x, NULL, argv, envp);
    struct file *file = file_at(x, dirfd, path, flags, &error);
    if (!file) {
        exec_free(x);
        return error;
    }
    return execute(x, file, argv, envp);
}

// --- the first program of an environment
static const char *start_strings(const struct libos_start *s, struct exec *x, int *error)
{
    const char *at = (const char *)s + s->strings;
    const char *path = at;
    at += strlen(at) + 1;
    *error = 0;
    for (uint32_t i = 0; i < s->argc && !*error; i++, at += strlen(at) + 1)
        *error = strings_add(&x->args.argv, at, strlen(at));
    for (uint32_t i = 0; i < s->envc && !*error; i++, at += strlen(at) + 1)
        *error = strings_add(&x->args.envp, at, strlen(at));
    return path;
}

// A fresh environment for a set-id program: what the file's mode gives is claimed from init, which
// grants it once.
static int claim_ids(const struct exec *x)
{
    uint32_t uid = x->setid & LX_S_ISUID ? x->st.st_uid : ~0u;
    uint32_t gid = x->setid & LX_S_ISGID ? x->st.st_gid : ~0u;
    struct exo_msg m = {.w = {PROC_OP_SETID_CLAIM, uid, gid}};
    return (int)server_call(H_INIT, &m);
}

// The two halves of what passes over to the environment of a set-id program. That limits are the
// caller's word is no loss: they are every process's own (rlimit.c).
void exec_keep(struct libos_kept *kept)
{
    memset(kept, 0, sizeof *kept);
    kept->umask = fd_current()->umask;
    sig_keep(kept);
    timer_keep(kept);
    rlimit_keep(kept);
}

void exec_inherit(const struct libos_kept *kept)
{
    fd_current()->umask = kept->umask & 0777;
    sig_inherit(kept);
    timer_inherit(kept);
    rlimit_inherit(kept);
}

// What init asked for cannot be done: the environment ends, with the status a shell would give.
#define START_FAILED (127 << 8)

void exec_start(struct libos_start *start)
{
    struct exec *x = heap_alloc(sizeof *x);
    if (!x)
        libos_panic("no memory to start");
    int error;
    const char *path = start_strings(start, x, &error);
    if (error || set_path(x, path) || strlen(path) >= LX_PATH_MAX)
        libos_panic("the arguments to start with do not fit");
    if (start->mode == LIBOS_START_FRAMES) {
        set_comm(x, x->path);
        x->program = (struct source){.frames = start->image, .size = start->image_bytes};
        error = elf_read(&x->elf, &x->program);
    } else {
        error = prepare(x, NULL);
        if (!error && start->secure)
            error = claim_ids(x);
    }
    if (!error)
        enter(x, start->secure ? 0 : (uint64_t)start);
    libos_log("exoc: cannot start %s: error %d\n", x->path, -error);
    proc_exit(START_FAILED);
}
