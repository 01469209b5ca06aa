// SPDX-License-Identifier: MIT
// The first program. The kernel gives it everything there is; it keeps little for itself, starts
// the servers with what each needs, then the first process, and serves.
//
// Kernel command line words: `exec` runs /sbin/execd with the module `spec` and powers off at its
// end; otherwise the first process is /etc/rc, and when it ends it is started again.
#include "init.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

struct authority own;

#define MEMORY_LEAST 48 // MiB of a machine that gets as far as a shell; the tests boot one

// Nothing can go on. A machine that runs one command ends, and its status tells; one that somebody
// looks at stays as it is, with what was said on its screen: that is the kernel's as long as there
// is no terminal server, so a server that is there goes first.
static _Noreturn void stop(const char *what, const char *why, const char *help)
{
    if (own.service_env[SERVER_TTYD]) {
        fprintf(stderr, "init: the terminal server is taken off the screen\n");
        exo_env_kill(own.service_env[SERVER_TTYD], 0, 0);
        exo_wait(NULL, 0, exo_clock_ns() + 1000000000);
    }
    fprintf(stderr, "\nexoc cannot go on: %s: %s\n%s\n", what, why, help);
    if (EXO_INFO->frames >> 8 < MEMORY_LEAST - 1) // the last page is the firmware's
        fprintf(stderr, "More memory is needed: this machine has %u MiB (QEMU: -m 256).\n",
                (unsigned)(EXO_INFO->frames >> 8));
    if (own.exec_mode)
        exo_machine_power(own.machine, EXO_POWER_OFF, 1);
    fprintf(stderr, "The machine has stopped; it can be switched off.\n");
    for (;;)
        exo_wait(NULL, 0, EXO_NEVER);
}

static _Noreturn void fail(const char *what, int64_t error)
{
    stop(what, exo_error_text(error),
         error == -EXO_ENOMEM ? "The machine needs more memory, or the image is damaged."
                              : "The image is damaged: make the image again.");
}

static bool word(const char *line, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = line; (at = strstr(at, name)); at += n) {
        if ((at == line || at[-1] == ' ') && (at[n] == 0 || at[n] == ' '))
            return true;
    }
    return false;
}

static exo_handle_t checked(const char *what, int64_t handle)
{
    if (handle < 0)
        fail(what, handle);
    return (exo_handle_t)handle;
}

// Memory is divided once: a share for the file server's new blocks and names, a little for the
// terminal server and for init's own tables; the rest is the processes'.
struct shares {
    exo_handle_t fsd, ttyd;
};
static struct shares s;

static void divide(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    int64_t err = exo_cap_identify(own.bank, &info);
    if (err < 0)
        fail("root bank", err);
    uint64_t left = info.length - info.used;
    uint64_t reserve = left / 32 + 256, ttyd = left / 64 + 384, fsd = left / 4;
    s.fsd = checked("bank of fsd", exo_bank_split(own.bank, fsd));
    s.ttyd = checked("bank of ttyd", exo_bank_split(own.bank, ttyd));
    own.user_bank =
        checked("bank of processes", exo_bank_split(own.bank, left - reserve - ttyd - fsd));
}

static void read_libos(void)
{
    const struct exo_boot_module *m = module_find("libos");
    if (!m)
        fail("there is no module `libos`", -EXO_ENOENT);
    const void *elf =
        exo_map(m->frames, 0, (m->bytes + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE, EXO_R_READ);
    int64_t err =
        elf ? exo_libos_image_read(own.bank, m->frames, elf, m->bytes, &own.libos) : -EXO_ENOMEM;
    if (err < 0)
        fail("the module `libos`", err);
}

static exo_handle_t narrowed(exo_handle_t cap, uint64_t first, uint64_t count, uint32_t rights)
{
    return checked("narrowing",
                   exo_cap_derive(cap, rights, 0, EXO_DERIVE_RANGE, first << 32 | count));
}

static void start_fsd(exo_handle_t bank)
{
    const struct exo_boot_module *root = module_find("root");
    if (!root || !root->frames)
        fail("there is no module `root` (the root volume), or it is empty", -EXO_ENOENT);
    uint64_t extra[8] = {[FSD_X_ROOT] = SLOT_HANDLE(H_FIRST), [FSD_X_ROOT_BYTES] = root->bytes};
    struct exo_slot_fill more[] = {
        {H_FIRST, EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC, root->frames},
        {H_FIRST + 1, EXO_R_WRITE, own.machine},
    };
    extra[SERVER_X_LOG] = SLOT_HANDLE(H_FIRST + 1);
    int err = server_start(SERVER_FSD, "fsd", bank, extra, more, 2);
    if (err < 0)
        fail("starting the file server (module fsd)", err);
}

static void start_ttyd(exo_handle_t bank)
{
    const struct exo_boot_screen *screen = &own.boot->screen;
    uint32_t rw = EXO_R_READ | EXO_R_WRITE;
    struct exo_slot_fill more[] = {
        {H_FIRST, rw, narrowed(own.ioport, 0x3f8, 8, rw)},
        {H_FIRST + 1, rw, narrowed(own.ioport, 0x60, 5, rw)},
        {H_FIRST + 2, rw, narrowed(own.ioport, 0x3c0, 32, rw)},
        {H_FIRST + 3, EXO_R_BIND, narrowed(own.irq, 0, 16, EXO_R_BIND)},
        {H_FIRST + 4, EXO_R_WRITE, own.machine},
        {H_FIRST + 5, rw, screen->frames},
    };
    uint64_t extra[8] = {
        [TTYD_X_UART] = SLOT_HANDLE(H_FIRST),
        [TTYD_X_PS2] = SLOT_HANDLE(H_FIRST + 1),
        [TTYD_X_CRTC] = SLOT_HANDLE(H_FIRST + 2),
        [TTYD_X_IRQ] = SLOT_HANDLE(H_FIRST + 3),
        [TTYD_X_SCREEN] = screen->kind ? SLOT_HANDLE(H_FIRST + 5) : 0,
        [TTYD_X_MODE] = screen->kind | (uint64_t)screen->width << 8 |
                        (uint64_t)screen->height << 24 | (uint64_t)screen->bpp << 40,
        [TTYD_X_LAYOUT] = screen->pitch | (uint64_t)screen->red_pos << 32 |
                          (uint64_t)screen->green_pos << 40 | (uint64_t)screen->blue_pos << 48,
        [SERVER_X_LOG] = SLOT_HANDLE(H_FIRST + 4),
    };
    int err = server_start(SERVER_TTYD, "ttyd", bank, extra, more, screen->kind ? 6 : 5);
    if (err < 0)
        fail("starting the terminal server (module ttyd)", err);
}

static struct proc *one; // init's own record
static exo_ns_t first_started;
#define FIRST_LEAST_NS 3000000000ull

static void start_execd(void)
{
    const struct exo_boot_module *spec = module_find("spec");
    char *argv[] = {"execd", NULL}, *envp[] = {NULL};
    uint32_t rw = EXO_R_READ | EXO_R_WRITE;
    if (!spec)
        fail("the command line says `exec` and there is no module `spec`", -EXO_ENOENT);
    struct exo_slot_fill more[] = {
        {H_FIRST, rw, narrowed(own.ioport, 0x2f8, 8, rw)},
        {H_FIRST + 1, EXO_R_BIND, narrowed(own.irq, 3, 1, EXO_R_BIND)},
        {H_FIRST + 2, EXO_R_READ, spec->frames},
    };
    uint64_t extra[8] = {
        [EXECD_X_UART] = SLOT_HANDLE(H_FIRST),
        [EXECD_X_IRQ] = SLOT_HANDLE(H_FIRST + 1),
        [EXECD_X_SPEC] = SLOT_HANDLE(H_FIRST + 2),
        [EXECD_X_SPEC_BYTES] = spec->bytes,
    };
    end_prepare();
    own.first = life_first(one, "/sbin/execd", argv, envp, extra, more, 3);
    if (!own.first)
        fail("starting /sbin/execd", -EXO_ENOMEM);
}

static void start_console(void)
{
    first_started = exo_clock_ns();
    char *argv[] = {"sh", "/etc/rc", NULL};
    char *envp[] = {"PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/root", "TERM=linux", NULL};
    uint64_t extra[8] = {0};
    own.first = life_first(one, "/bin/sh", argv, envp, extra, NULL, 0);
    if (!own.first)
        fail("starting /bin/sh", -EXO_ENOMEM);
}

// /etc/rc never ends by itself. If it did at once, it would do so again.
void first_ended(struct proc *p)
{
    if (own.exec_mode)
        end_begin(p->rec->status);
    else if (exo_clock_ns() - first_started < FIRST_LEAST_NS)
        stop("the first program, /bin/sh /etc/rc", "has ended at once",
             "The root volume lacks it or is damaged: make the image again.");
    else
        start_console();
}

// A server announces itself. The second time is refused: nobody can take a service's place.
static long service(uint64_t env, uint64_t kind)
{
    struct exo_ctx *ctx = (struct exo_ctx *)EXO_BOOT_CTX_VA;
    if (kind != SERVER_FSD && kind != SERVER_TTYD)
        return -LX_EINVAL;
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    if (own.service[kind] || !ctx->recv[0] || exo_cap_identify(own.service_env[kind], &info) < 0 ||
        info.env != env)
        return -LX_EPERM;
    own.service[kind] = ctx->recv[0];
    ctx->recv[0] = 0;
    own.server_env[kind] = env;
    return 0;
}

static long process_call(struct proc *p, struct exo_msg *m, const char *message, size_t bytes)
{
    uint64_t *w = m->w;
    if (end_begun())
        return -LX_ESRCH; // killed after it called
    switch (w[0]) {
    case PROC_OP_FORK:
        return life_fork(p, m);
    case PROC_OP_ABORT:
        return life_abort(p, (int)w[1]);
    case PROC_OP_START:
        return life_start(p, (int)w[1]);
    case PROC_OP_REAP:
        return life_reap(p, (int)w[1], m);
    case PROC_OP_ACK:
        return life_ack(p, (int)w[1], (unsigned)w[2]);
    case PROC_OP_KILL:
        return signal_kill(p, (int)w[1], (int)w[2]);
    case PROC_OP_QUEUE:
        return signal_queue(p, (int)w[1], (int)w[2], w[3], (int)w[4]);
    case PROC_OP_FETCH:
        return signal_fetch(p, (int)w[1], m);
    case PROC_OP_SETPGID:
        return group_setpgid(p, (int)w[1], (int)w[2]);
    case PROC_OP_SETSID:
        return group_setsid(p);
    case PROC_OP_SETUID:
        return ids_setuid(p, (uint32_t)w[1], (uint32_t)w[2], (uint32_t)w[3]);
    case PROC_OP_SETGID:
        return ids_setgid(p, (uint32_t)w[1], (uint32_t)w[2], (uint32_t)w[3]);
    case PROC_OP_SETGROUPS:
        if (w[1] > PROC_NGROUPS || bytes < w[1] * sizeof(uint32_t))
            return -LX_EINVAL;
        return ids_setgroups(p, (unsigned)w[1], (const uint32_t *)message);
    case PROC_OP_STOPPED:
        return signal_stopped(p, (int)w[1]);
    case PROC_OP_EXECED:
        return life_execed(p, message, bytes);
    case PROC_OP_SETNICE:
        return ids_nice(p, (int)w[1], (int)w[2]);
    case PROC_OP_FLAGS: {
        uint32_t may = PROC_F_NOCLDWAIT | PROC_F_NOCLDSTOP;
        p->rec->flags =
            (p->rec->flags & ~((uint32_t)w[2] & may)) | ((uint32_t)w[1] & (may | PROC_F_CONFINED));
        return 0;
    }
    case PROC_OP_SETID_GIVE:
        return life_setid_give(p, m);
    case PROC_OP_SETID_EXEC:
        return life_setid_exec(p, m);
    case PROC_OP_SETID_CLAIM:
        return life_setid_claim(p, (uint32_t)w[1], (uint32_t)w[2]);
    case PROC_OP_MEMORY:
        return memory_for_process(p, w[1]);
    case PROC_OP_LIMIT:
        return job_make(p, w[1]);
    case PROC_OP_NPROC:
        return ids_nproc(p, w[1], w[2]);
    case PROC_OP_PEER:
        return signal_peer(p, (int)w[1], m);
    case PROC_OP_REBOOT:
        if (p->rec->euid != 0)
            return -LX_EPERM;
        exo_machine_power(own.machine, w[1] == 0x01234567 ? EXO_POWER_RESET : EXO_POWER_OFF, 0);
        return -LX_EINVAL;
    default:
        return -LX_ENOSYS;
    }
}

// What was sent along and not kept goes.
static void drop_received(struct exo_ctx *ctx)
{
    for (unsigned i = 0; i < EXO_MSG_CAPS; i++) {
        if (ctx->recv[i])
            exo_cap_delete(ctx->recv[i]);
        ctx->recv[i] = 0;
    }
}

static void serve_call(struct exo_ctx *ctx, struct exo_msg *m)
{
    const char *message = (const char *)ctx + EXO_PAGE_SIZE;
    size_t bytes = EXO_META_BYTES(m->meta);
    uint64_t caller = ctx->in_env;
    long result;
    m->meta = 0;
    if (m->w[0] == PROC_OP_SERVICE) {
        result = service(caller, m->w[1]);
    } else if (m->w[0] == PROC_OP_GROUP) {
        result = caller == own.server_env[SERVER_TTYD] ? group_server_op(m) : -LX_EPERM;
    } else if (caller == own.server_env[SERVER_FSD]) {
        result = m->w[0] == PROC_OP_MEMORY ? memory_for_files(m->w[1])
                 : m->w[0] == PROC_OP_KEEP ? memory_kept()
                                           : -LX_EPERM;
    } else {
        struct proc *p = proc_by_env(caller);
        result = p ? process_call(p, m, message, bytes) : -LX_EPERM;
    }
    drop_received(ctx);
    m->w[0] = (uint64_t)result;
}

// What comes next at the start, and whether it is due: the file server, the terminal server, which
// takes the screen, and the first process. Each once the one before has announced itself and its
// announcement is answered.
static bool start_due(void)
{
    return (own.service[SERVER_FSD] && !own.service_env[SERVER_TTYD]) ||
           (own.service[SERVER_TTYD] && !own.first);
}

static void start_next(void)
{
    if (!own.service_env[SERVER_TTYD])
        start_ttyd(s.ttyd);
    else if (own.exec_mode)
        start_execd();
    else
        start_console();
}

static void server_died(uint64_t kind)
{
    if (kind == SERVER_FSD)
        stop("the file server", "has ended",
             "If the root volume or a module is damaged: make the image again.");
    else
        stop("the terminal server", "has ended", "If its module is damaged: make the image again.");
}

static _Noreturn void serve(void)
{
    struct exo_ctx *ctx = (struct exo_ctx *)EXO_BOOT_CTX_VA;
    struct exo_msg m = {.meta = EXO_REPLY_NONE};
    ctx->recv_max = EXO_MSG_CAPS;
    for (;;) {
        exo_ns_t deadline = end_begun() ? end_deadline() : signal_deadline();
        int64_t err = exo_reply_wait(own.endpoint, &m, start_due() ? 0 : deadline);
        life_answered(err == 0 || err == -EXO_ETIMEDOUT);
        if (err == 0 && ctx->in_kind == EXO_EV_CALL) {
            serve_call(ctx, &m);
            continue;
        }
        if (err == 0 && ctx->in_kind == EXO_EV_DEATH)
            SERVER_OF(ctx->in_badge) ? server_died(SERVER_OF(ctx->in_badge))
                                     : life_died(ctx->in_badge);
        if (err == 0 && ctx->in_kind == EXO_EV_NOTIFY)
            __atomic_exchange_n(&ctx->pending, 0, __ATOMIC_SEQ_CST);
        signal_force_due();
        end_step();
        m = (struct exo_msg){.meta = EXO_REPLY_NONE};
        if (start_due())
            start_next();
    }
}

int main(void)
{
    own.boot = (struct exo_boot *)getauxval(AT_EXO_START);
    if (!own.boot)
        return 1;
    own.bank = own.boot->bank;
    own.slice = own.boot->slice;
    own.machine = own.boot->machine;
    own.irq = own.boot->irq;
    own.ioport = own.boot->ioport;
    own.exec_mode = word(own.boot->cmdline, "exec");
    exo_map_bank = own.bank;
    own.endpoint = checked("endpoint", exo_endpoint_create(own.bank));
    int64_t err = table_init();
    if (err < 0)
        fail("the process table", err);
    read_libos();
    divide();
    one = proc_new(NULL, own.boot->env, cookie_new(1));
    if (!one)
        fail("the first record", -EXO_ENOMEM);
    one->rec->state = PROC_RUNNING;
    strcpy(one->rec->comm, "init");
    memory_init(s.fsd);
    start_fsd(s.fsd);
    serve();
}
