// SPDX-License-Identifier: MIT
// Hostile callers of init: messages made of the fuzzer's bytes, from processes of several users,
// jobs and groups, from servers and from nobody, with capabilities that go along, deaths reported
// in between and memory running out. After each call the table of records is whole and nobody has
// become root who could not; when all processes are dead init holds what it held at the start.
//
// A step in the input: what, who, five arguments, capabilities, message bytes.
#define main init_main
#include "fake.h"

#include "../main.c"
#undef main

enum { ROOM = 40 };

static const uint8_t *in, *end;
static exo_handle_t server_handle[3];
static unsigned base;

static uint8_t next(void)
{
    return in < end ? *in++ : 0;
}

#define ALWAYS(cond)                                                                               \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "fuzz.c:%d: %s\n", __LINE__, #cond);                                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

// --- the processes there are ---------------------------------------------------------------------

static struct proc *some(unsigned which)
{
    struct proc *p;
    unsigned n = 0;

    TAILQ_FOREACH (p, &procs, all)
        n++;
    which %= n;
    TAILQ_FOREACH (p, &procs, all)
        if (which-- == 0)
            return p;
    return NULL;
}

static bool may_be_root(const struct proc *p)
{
    return p->pristine || !p->rec->ruid || !p->rec->euid || !p->rec->suid;
}

static void check_record(const struct proc *p)
{
    const struct proc *child;
    uint32_t at = p->rec->first_child;

    ALWAYS(proc_by_pid(p->pid) == p && p->rec->pid == p->pid && p->rec->seq % 2 == 0);
    ALWAYS(p->rec->env && EXO_ENV_INDEX(p->rec->env) == p->index);
    ALWAYS(p->rec->state >= PROC_EMBRYO && p->rec->state <= PROC_ZOMBIE);
    ALWAYS(!p->parent || p->rec->ppid == p->parent->pid);
    ALWAYS(p->rec->pgid > 0 && p->rec->sid > 0 && p->rec->ngroups <= PROC_NGROUPS);
    ALWAYS(fake_envs[p->index].id == p->rec->env);
    LIST_FOREACH (child, &p->children, sibling) {
        ALWAYS(child->parent == p && child->index == at);
        at = child->rec->next_sibling;
    }
    ALWAYS(at == 0);
    ALWAYS(!p->rec->comm[sizeof(p->rec->comm) - 1]);
}

static void check_all(void)
{
    struct proc *p;

    TAILQ_FOREACH (p, &procs, all)
        check_record(p);
}

// --- a call --------------------------------------------------------------------------------------

static uint64_t argument(void)
{
    static const uint64_t usual[] = {0,          1,
                                     2,          9,
                                     15,         17,
                                     18,         19,
                                     20,         22,
                                     31,         32,
                                     33,         64,
                                     65,         1000,
                                     1001,       4096,
                                     0x7f,       INT32_MAX,
                                     UINT32_MAX, 1ull << 31,
                                     1ull << 32, INT64_MAX,
                                     1ull << 63, UINT64_MAX - 1};
    uint8_t b = next();

    if (b < 128)
        return b < 64 ? (uint64_t)some(b)->pid : 0 - (uint64_t)some(b)->pid;
    if (b < 192)
        return usual[b % (sizeof(usual) / sizeof(usual[0]))];
    return b < 220 ? b & 15 : b < 248 ? 0 : 0x1000 + (uint64_t)next() * 8;
}

// A start block in every process's memory, right but for a few bytes.
static uint64_t start_block(void)
{
    struct libos_start *s = (struct libos_start *)fake_memory;
    uint32_t nfds = next() % 5, fds = sizeof(*s),
             strings = fds + nfds * (uint32_t)sizeof(struct libos_start_fd);
    uint64_t bytes = strings + 40;

    memset(fake_memory, 0, sizeof(fake_memory));
    *s = (struct libos_start){.size = sizeof(*s),
                              .magic = LIBOS_START_MAGIC,
                              .argc = 2,
                              .envc = 1,
                              .strings = strings,
                              .strings_size = 40,
                              .nfds = nfds,
                              .fds = fds};
    for (unsigned n = next() % 4; n; n--)
        fake_memory[(next() | next() << 8) % bytes] = next();
    return bytes - (next() % 16 == 15) * (uint64_t)next();
}

static uint64_t caller_of(uint8_t who)
{
    if (who < 240)
        return some(who)->rec->env;
    return who < 244 ? own.server_env[SERVER_FSD] : who < 250 ? own.server_env[SERVER_TTYD] : who;
}

static void call(void)
{
    struct exo_ctx *ctx = (struct exo_ctx *)EXO_BOOT_CTX_VA;
    uint8_t what = next(), who = next(), caps = next();
    struct exo_msg m = {.w = {what % 36}};
    struct proc *p = proc_by_env(caller_of(who));
    bool root = p && may_be_root(p);
    size_t bytes = next() % 16 ? next() % 64u : 4096u;

    // A call comes from one that lives; init itself makes none.
    if (p && (p->pid == 1 || fake_envs[p->index].state >= EXO_ENV_DYING))
        return;
    if (p && fake_envs[p->index].state == EXO_ENV_NEW && p->rec->state == PROC_RUNNING)
        fake_envs[p->index].state = EXO_ENV_LIVE;
    ctx->in_env = caller_of(who);
    for (unsigned i = 1; i < 6; i++)
        m.w[i] = argument();
    if (m.w[0] == PROC_OP_SETID_EXEC && caps & 0x80) {
        m.w[1] = start_block();
        m.w[2] = 0x1000;
    }
    for (size_t i = 0; i < bytes; i++)
        ((uint8_t *)ctx)[EXO_PAGE_SIZE + i] = bytes == 4096 ? (uint8_t)i : next();
    for (unsigned i = 0; i < (caps & 7) && i < EXO_MSG_CAPS; i++)
        ctx->recv[i] = fake_new(EXO_CAP_FRAMES, 0);
    m.meta = EXO_META(bytes, caps & 7);
    serve_call(ctx, &m);
    for (unsigned i = 0; i < EXO_MSG_CAPS; i++)
        ALWAYS(!ctx->recv[i]);
    // What the reply moves away is the caller's, if it takes it.
    bool arrives = next() % 4 != 3;
    for (unsigned i = 0; arrives && i < EXO_META_CAPS(m.meta); i++)
        if (ctx->send[i].mode == EXO_SEND_MOVE)
            exo_cap_delete(ctx->send[i].handle);
    life_answered(arrives);
    p = proc_by_env(ctx->in_env);
    ALWAYS(!p || root || !may_be_root(p));
}

static void report(void)
{
    uint64_t cookie;

    if (fake_death(&cookie))
        life_died(cookie);
}

static void end_of(struct proc *p)
{
    static const uint64_t codes[] = {0, 0x100, 9, 0x7f, 0x137f, UINT64_MAX, 0x1ffff};

    if (p->parent)
        fake_kill(p->rec->env, 1 + next() % 4, codes[next() % 7]);
}

// --- the world -----------------------------------------------------------------------------------

static void world(void)
{
    static struct exo_boot boot;
    exo_handle_t env;
    uint64_t id = fake_env_new(&env, 0);

    fake_any = next;
    fake_room = ROOM;
    own.boot = &boot;
    own.bank = fake_new(EXO_CAP_BANK, 0);
    own.user_bank = fake_new(EXO_CAP_BANK, 0);
    own.slice = fake_new(EXO_CAP_SLICE, 0);
    own.machine = fake_new(EXO_CAP_MACHINE, 0);
    own.endpoint = fake_new(EXO_CAP_ENDPOINT, 0);
    own.libos.text = fake_new(EXO_CAP_SEGMENT, 0);
    ALWAYS(table_init() == 0);
    one = proc_new(NULL, env, cookie_new(1));
    ALWAYS(one && one->rec->env == id);
    one->rec->state = PROC_RUNNING;
    memory_init(fake_new(EXO_CAP_BANK, 0));
    for (unsigned kind = SERVER_FSD; kind <= SERVER_TTYD; kind++) {
        own.server_env[kind] = fake_env_new(&server_handle[kind], SERVER_COOKIE(kind));
        own.service_env[kind] = server_handle[kind];
        own.service[kind] = fake_new(EXO_CAP_ENDPOINT, 0);
    }
}

static struct proc *beget(struct proc *parent, uint32_t uid)
{
    exo_handle_t env;
    uint64_t cookie = cookie_new(pid_new());

    fake_env_new(&env, cookie);
    struct proc *p = proc_new(parent, env, cookie);
    if (!p) {
        exo_cap_delete(env);
        return NULL;
    }
    fake_envs[p->index].state = EXO_ENV_LIVE;
    p->rec->state = PROC_RUNNING;
    p->rec->ruid = p->rec->euid = p->rec->suid = uid;
    return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proc *p;

    in = end = NULL; // the start meets no accident
    if (!one)
        world();
    fake_room = ROOM;
    for (uint32_t uid = 0; uid < 4; uid++) {
        p = beget(one, uid / 2 * 1000 + uid % 2);
        base = uid ? base : fake_count();
        if (p && !beget(p, p->rec->euid))
            return 0;
    }
    base -= 1;
    in = data;
    end = data + size;
    while (in < end) {
        uint8_t what = next();
        if (what < 200)
            call();
        else if (what < 220)
            report();
        else if (what < 235)
            end_of(some(next()));
        else if (what < 245)
            fake_now += 100000000;
        signal_force_due();
        check_all();
    }
    in = end = NULL;
    TAILQ_FOREACH (p, &procs, all)
        if (p->parent)
            fake_kill(p->rec->env, EXO_DEATH_KILLED, 9);
    for (uint64_t cookie; fake_death(&cookie);) {
        life_died(cookie);
        check_all();
    }
    ALWAYS(TAILQ_FIRST(&procs) == one && !TAILQ_NEXT(one, all));
    ALWAYS(fake_count() == base);
    return 0;
}
