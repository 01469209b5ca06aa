// SPDX-License-Identifier: MIT
// Random callers: environments that make kernel calls with random arguments, as sensible as can be
// without being right.
//
// A caller has a capability of every type, some of them with all rights: its bank, its environment
// and address space and those of its neighbours, time, an endpoint, frames and a segment lent by
// the controller, a port, an interrupt, a device, the trace ring. It keeps handles that calls gave
// it, and makes structures whose fields are mostly of the right kind: places in a few regions,
// pages of its own now and then, handles, boundaries. It scribbles over its context block too. It
// may kill itself, its neighbours, or its own memory; whatever way it ends, a new one takes its
// place with the next seed.
//
// The controller calls nothing at random. It counts the calls of the dead by the exposed count of
// entries, wakes and in the end kills callers that sleep for good, destroys each one's bank, and
// lets the kernel check its invariants now and then. At the end everything must be back (test_end).
//
// Words of the command line: seed=N, calls=N (thousands). Under -icount the run is the same each
// time; each caller's seed and end are printed, and a panic shows the last calls.
#include <string.h>
#include "test.h"

#define CALLERS     4
#define BANK        700
#define NURSERY     9000
#define HANDLES     64
#define KNOWN       20 // handles a caller starts with
#define PLACE       0x10000000ull
#define BIG         0x40000000ull
#define STACK       0x600000000000ull // of a caller: 4 pages, the block behind them
#define BLOCK       (STACK + 0x20000)
#define ME          ((volatile struct exo_ctx *)BLOCK) // a caller's GS base may be anywhere
#define PROGRAM     0x400000ull
#define PROGRAM_END 0x500000ull
#define STATS                                                                                      \
    ((volatile uint32_t *)0x2f0000000ull) // shared by all: [number] succeeded, [96 + number] failed

struct caller {
    exo_handle_t bank, aspace, env, block;
    exo_env_id_t id;
    uint64_t seed, entries;
    unsigned idle;
};

static struct caller callers[CALLERS];
static exo_handle_t endpoint, lent_frames, lent_segment, time_slice, port, nursery;
static uint64_t done, wanted, seed, births, by_reason[8], checks;

// --- what runs in a caller: its own copy of all this
// ---------------------------------------------------------

static uint64_t state;
static exo_handle_t held[HANDLES];
static char held_type[HANDLES];
static const char known[] = "bealpfseeabmdobfffeq"; // of the slots from 1 on (endow)
static uint8_t arena[4 * 4096] __attribute__((aligned(4096)));

#include "random_usual.h"
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static uint64_t any(void)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state * 0x2545f4914f6cdd1dull >> 8;
}

static uint64_t below(uint64_t n)
{
    return any() % n;
}

static bool one_in(uint64_t n)
{
    return below(n) == 0;
}

static uint64_t some_place(void)
{
    static const uint64_t edges[] = {0,
                                     EXO_USER_BASE,
                                     EXO_USER_END - 4096,
                                     EXO_USER_END,
                                     EXO_DIRECT_BASE,
                                     EXO_INFO_BASE,
                                     EXO_KERNEL_BASE,
                                     1ull << 63,
                                     UINT64_MAX & ~4095ull};

    if (one_in(1000))
        return one_in(2) ? PROGRAM + below(64) * 4096 : one_in(2) ? BLOCK : STACK + below(6) * 4096;
    switch (below(16)) {
    case 0:
        return edges[below(sizeof(edges) / 8)];
    case 1:
        return (uint64_t)arena + below(4) * 4096;
    case 2:
    case 3:
    case 4:
        return BIG + below(6) * 0x200000 + (one_in(4) ? below(512) * 4096 : 0);
    default:
        return PLACE + below(48) * 4096;
    }
}

static uint64_t some_number(void)
{
    static const uint64_t numbers[] = {
        0,    1,     2,          3,          4,          8,          16,         63,
        64,   65,    511,        512,        513,        2048,       4095,       4096,
        4097, 16384, 1ull << 20, 1ull << 31, 1ull << 32, 1ull << 47, 1ull << 63, UINT64_MAX};

    switch (below(8)) {
    case 0:
        return any();
    case 1:
        return some_place();
    case 2:
        return below(2048); // rights
    case 3:
        return below(64);
    default:
        return numbers[below(sizeof(numbers) / 8)];
    }
}

static exo_handle_t some_handle(void)
{
    if (one_in(12))
        return some_number();
    if (one_in(12))
        return below(64) | (1 + below(4)) << EXO_HANDLE_BITS;
    if (one_in(6))
        return 0;
    return held[below(HANDLES)];
}

static exo_handle_t handle_of(char type)
{
    unsigned from = (unsigned)below(HANDLES);

    for (unsigned i = 0; i < HANDLES; i++)
        if (held_type[(from + i) % HANDLES] == type)
            return held[(from + i) % HANDLES];
    return some_handle();
}

static void keep(int64_t result, char type)
{
    unsigned at = (unsigned)(KNOWN + below(HANDLES - KNOWN));

    if (result < 1ll << EXO_HANDLE_BITS)
        return;
    held[at] = (exo_handle_t)result;
    held_type[at] = type;
}

static void fill_ops(struct exo_map_op *op, unsigned n)
{
    for (; n--; op++)
        *op = (struct exo_map_op){
            .kind = (uint32_t)below(one_in(32) ? 9 : 6),
            .count = (uint32_t)(one_in(4)   ? some_number()
                                : one_in(3) ? 512
                                            : 1 + below(8)),
            .va = some_place() + (one_in(32) ? below(4096) : 0),
            .cap = one_in(4) ? some_handle() : handle_of(one_in(3) ? 's' : 'f'),
            .first = one_in(2)   ? 0
                     : one_in(2) ? below(8)
                                 : some_place(),
            .rights = (uint32_t)(one_in(16)  ? any()
                                 : one_in(3) ? EXO_R_READ
                                             : RW),
            .flags = (uint32_t)(one_in(4) ? below(4) : 0),
        };
}

static void fill_regions(struct exo_region *region, unsigned n)
{
    for (; n--; region++) {
        uint64_t start = some_place();
        *region = (struct exo_region){start, start + below(40) * 4096, (uint32_t)below(5), 0};
    }
}

static void fill_conds(struct exo_cond *cond, unsigned n)
{
    for (; n--; cond++) {
        *cond = (struct exo_cond){(uint32_t)below(4), (uint32_t)below(3), handle_of('f')};
        if (cond->kind == EXO_COND_WORD)
            cond->va = one_in(4) ? some_place() : (uint64_t)arena + below(1024) * 4;
    }
}

static void caller_main(void *arg);

// Mostly a new beginning.
static void fill_regs(struct exo_regs *regs)
{
    for (unsigned i = 0; i < sizeof(*regs) / 8; i++)
        ((uint64_t *)regs)[i] = some_number();
    if (!one_in(8))
        regs->size = sizeof(*regs);
    if (!one_in(64))
        regs->gpr.rip = (uint64_t)caller_main;
    if (!one_in(64))
        regs->gpr.rsp = STACK + 4 * 4096 - 8;
    if (!one_in(8))
        regs->fs_base = 0;
}

// Memory for a pointer of this call, filled with what the call would read there.
static uint64_t some_pointer(uint32_t nr)
{
    uint64_t at = (uint64_t)arena + below(8) * 8;

    if (one_in(16))
        return some_place() + below(4096);
    if (one_in(8))
        at = (uint64_t)arena + sizeof(arena) - below(512);
    else if (nr == EXO_CALL_aspace_batch)
        fill_ops((void *)at, 8);
    else if (nr == EXO_CALL_aspace_clone)
        fill_regions((void *)at, 8);
    else if (nr == EXO_CALL_wait)
        fill_conds((void *)at, 8);
    else if (nr == EXO_CALL_ctx_set)
        fill_regs((void *)at);
    else if (one_in(2))
        *(uint64_t *)at = one_in(2) ? 0 : some_number();
    return at;
}

static void scribble(void)
{
    volatile struct exo_ctx *me = ME;

    switch (below(8)) {
    case 0:
        me->mask = below(2);
        break;
    case 1:
        me->pending = any();
        break;
    case 2:
        me->flags = any();
        break;
    case 3:
        me->recv_max = one_in(4) ? any() : below(6);
        break;
    case 4:
        ((volatile uint8_t *)me)[0x88 + below(0x200 - 0x88)] = (uint8_t)any();
        break;
    default:
        me->send[below(4)] = (struct exo_send){
            some_handle(), (uint32_t)(one_in(2) ? ~0u : below(2048)), (uint32_t)below(4)};
    }
}

// Most sleeps end soon; the controller sees to the others.
static exo_ns_t soon(void)
{
    return one_in(64) ? EXO_NEVER : one_in(2) ? 0 : now() + below(300000);
}

static void transfer_once(uint32_t nr)
{
    struct exo_msg m = {
        .meta = EXO_META(one_in(8) ? below(65536) : below(4097), one_in(8) ? below(16) : below(3))};

    if (nr == EXO_CALL_reply_wait)
        m.meta |= one_in(2) ? EXO_REPLY_NONE : one_in(2) ? EXO_REPLY_ONLY : 0;
    for (unsigned i = 0; i < 6; i++)
        m.w[i] = any();
    STATS[nr + (exo_transfer(nr, handle_of('p'), &m, soon()) < 0 ? EXO_CALL_LIMIT : 0)]++;
    for (unsigned i = 0; i < 4; i++)
        keep((int64_t)ME->recv[i], 0);
}

// A run of two frames for a context's block.
static exo_handle_t pair_of_frames(void)
{
    int64_t frames = exo_frames_alloc(held[0], 2, 0, 0);

    keep(frames, 'f');
    return frames > 0 ? (exo_handle_t)frames : handle_of('f');
}

static uint64_t usual(uint32_t nr, char what)
{
    switch (what) {
    case 'r':
        return one_in(2)   ? EXO_R_READ
               : one_in(2) ? EXO_R_BUY | EXO_R_CALL | EXO_R_NOTIFY
                           : below(2048);
    case '0':
        return 0;
    case '1':
        return nr == EXO_CALL_port_io || nr == EXO_CALL_port_string ? 0x80 : 1 + below(8);
    case 'i':
        return nr == EXO_CALL_segment_fill || nr == EXO_CALL_segment_clear ? below(504)
               : one_in(4)                                                 ? below(90)
                                                                           : 0;
    case 'v':
        return some_place();
    case 'c':
        return (1 + below(4)) | (uint64_t)(one_in(2) ? EXO_R_READ : RW) << 32;
    case 'n':
        return below(12000);
    case 't':
        return soon();
    case 'h':
        return below(5) * 64;
    case 'k':
        return 1ull << below(9);
    case 'w':
        return one_in(2) ? 1 : 4;
    case 'z':
        return below(700);
    case 'u':
        return some_number();
    case '*':
        return some_pointer(nr);
    case 'x':
        return held[below(HANDLES)];
    case 'f':
        return nr == EXO_CALL_ctx_create ? pair_of_frames() : handle_of('f');
    default:
        if (what >= 'A' && what <= 'Z')
            return one_in(2) ? 0 : handle_of((char)(what + 32));
        return handle_of(what);
    }
}

static void call_once(void)
{
    unsigned which = (unsigned)below(CALLS);
    uint32_t nr = calls[which].nr;
    const char *what = calls[which].usual;
    uint64_t args[6] = {0};
    int64_t result;

    if ((nr == EXO_CALL_env_exit || nr == EXO_CALL_env_kill) && !one_in(200))
        return;
    if ((nr == EXO_CALL_cap_delete || nr == EXO_CALL_cap_revoke || nr == EXO_CALL_bank_destroy ||
         nr == EXO_CALL_bank_fold || nr == EXO_CALL_ctx_bind || nr == EXO_CALL_ctx_set) &&
        !one_in(8))
        return;
    if (nr == EXO_CALL_call || nr == EXO_CALL_reply_wait) {
        transfer_once(nr);
        return;
    }
    for (unsigned i = 0; what[i]; i++)
        args[i] = !one_in(10)      ? usual(nr, what[i])
                  : what[i] == '*' ? some_place()
                  : one_in(2)      ? some_handle()
                                   : some_number();
    if (nr == EXO_CALL_wait && one_in(2))
        args[2] = soon();
    if (one_in(1000))
        nr = (uint32_t)some_number();
    result = exo_syscall6(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
    if (nr < EXO_CALL_LIMIT)
        STATS[nr + (result < 0 ? EXO_CALL_LIMIT : 0)]++;
    if (calls[which].type)
        keep(result, (char)(calls[which].type == 1 ? 0 : calls[which].type));
}

static void caller_main(void *arg)
{
    state = (uint64_t)arg | 1;
    for (unsigned i = 0; i < 16; i++)
        any();
    for (unsigned i = 0; i < HANDLES; i++) {
        held[i] = (i % KNOWN + 1) | 1ull << EXO_HANDLE_BITS;
        held_type[i] = known[i % KNOWN];
    }
    for (;;) {
        if (one_in(16))
            scribble();
        call_once();
    }
}

// The arena is bought anew when a caller has lost it; what else it loses is its end.
static void on_upcall(struct exo_save *save)
{
    volatile struct exo_ctx *me = ME;
    uint64_t page = save->addr & ~4095ull;
    struct exo_map_op ops[2] = {{EXO_OP_UNMAP, 1, page, 0, 0, 0, 0},
                                {EXO_OP_BUY, 1, page, 0, 0, RW, 0}};

    if (save->cause == EXO_UP_NOTIFY)
        __atomic_exchange_n(&me->pending, 0, __ATOMIC_SEQ_CST);
    else if (save->cause == EXO_UP_PAGEFAULT && page - (uint64_t)arena < sizeof(arena) &&
             exo_aspace_batch(0, held[0], ops, 2) == 2)
        return;
    else if (save->cause != EXO_UP_SLICE)
        exo_env_exit(save->cause == EXO_UP_PAGEFAULT ? save->addr : 1);
}

// --- the controller
// --------------------------------------------------------------------------------------------------

static uint64_t word(const char *name, uint64_t otherwise)
{
    const char *at = boot->cmdline;
    uint64_t value = 0;

    for (; *at; at++) {
        const char *p = at, *n = name;
        while (*n && *p == *n)
            p++, n++;
        if (*n || (at != boot->cmdline && at[-1] != ' '))
            continue;
        while (*p >= '0' && *p <= '9')
            value = value * 10 + (uint64_t)(*p++ - '0');
        return value;
    }
    return otherwise;
}

static exo_handle_t need(int64_t result, int line)
{
    if (result <= 0)
        is_at(result, 1, "a caller can be made", line);
    return (exo_handle_t)result;
}
#define NEED(call) need(call, __LINE__)

static void put_cap(const struct caller *c, unsigned index, exo_handle_t cap, uint32_t rights)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};

    if (cap && exo_cap_identify(cap, &info) == 0)
        exo_cap_copy(cap, rights & info.rights, c->env, index);
}

// The slots 1..KNOWN of a new caller.
static void endow(const struct caller *c)
{
    const struct caller *left = &callers[(c - callers + 1) % CALLERS],
                        *right = &callers[(c - callers + 2) % CALLERS];

    put_cap(c, 1, c->bank, EXO_R_ALL);
    put_cap(c, 2, c->env, EXO_R_ALL);
    put_cap(c, 3, c->aspace, EXO_R_ALL);
    put_cap(c, 4, time_slice, EXO_R_ALL);
    put_cap(c, 5, endpoint, EXO_R_CALL | EXO_R_DERIVE);
    put_cap(c, 6, lent_frames, RW | EXO_R_EXEC);
    put_cap(c, 7, lent_segment, RW);
    put_cap(c, 8, left->env, births % 3 ? EXO_R_NOTIFY : EXO_R_ALL);
    put_cap(c, 9, right->env, EXO_R_NOTIFY | EXO_R_CONTROL);
    put_cap(c, 10, left->aspace, EXO_R_ALL);
    put_cap(c, 11, right->bank, EXO_R_BUY | EXO_R_READ);
    put_cap(c, 12, boot->machine, EXO_R_READ);
    if (boot->ndevices)
        put_cap(c, 13, boot->device[0], EXO_R_READ);
    put_cap(c, 14, port, RW | EXO_R_DERIVE);
    put_cap(c, 15, c->bank, EXO_R_BUY);
    put_cap(c, 16, c->block, RW);
    put_cap(c, 17, lent_frames, EXO_R_READ);
    put_cap(c, 18, lent_frames, EXO_R_READ | EXO_R_REVOKE);
    put_cap(c, 19, c->env, EXO_R_ALL);
    put_cap(c, 20, boot->irq, EXO_R_BIND | EXO_R_DERIVE);
}

static void copy_memory(const struct caller *c)
{
    static const struct exo_region program[] = {
        {PROGRAM, PROGRAM_END, EXO_CLONE_COPY, 0},
        {(uint64_t)STATS, (uint64_t)STATS + 4096, EXO_CLONE_SHARE, 0},
    };
    struct exo_map_op stack = {EXO_OP_BUY, 6, STACK, 0, 0, RW, 0};
    uint64_t cursor = 0;
    int64_t r;

    do
        r = exo_aspace_clone(c->aspace, c->bank, program, 2, &cursor);
    while (r == -EXO_EAGAIN);
    if (r == 0)
        r = exo_aspace_batch(c->aspace, c->bank, &stack, 1) - 1;
    if (r)
        is(r, 0);
}

void upcall_stub(void);

static void birth(struct caller *c)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    struct exo_regs regs = {.size = sizeof(regs), .version = EXO_ABI_VERSION};
    struct exo_ctx block;

    c->seed = seed + ++births * 0x9e3779b97f4a7c15ull;
    c->idle = 0;
    c->entries = 0;
    c->bank = NEED(exo_bank_split(nursery, BANK));
    c->aspace = NEED(exo_aspace_create(c->bank));
    c->env = NEED(exo_env_create(c->bank, c->aspace, 0, 0));
    c->block = NEED(exo_frames_alloc(c->bank, 2, 0, 0));
    copy_memory(c);
    if (exo_ctx_create(c->env, c->bank, c->block, BLOCK) != 0)
        ok(false);
    endow(c);
    exo_cap_identify(c->env, &info);
    c->id = info.env;
    exo_env_memory(c->env, BLOCK, &block, sizeof(block), 0);
    block.upcall_entry = (uint64_t)upcall_stub;
    block.upcall_stack_top = STACK + 6 * 4096;
    block.upcall_stack_size = 2 * 4096;
    exo_env_memory(c->env, BLOCK, &block, sizeof(block), 1);
    regs.gpr.rip = (uint64_t)caller_main;
    regs.gpr.rdi = c->seed;
    regs.gpr.rsp = STACK + 4 * 4096 - 8;
    exo_ctx_set(c->env, 0, &regs);
    exo_ctx_bind(c->env, 0, time_slice);
}

// Nothing of it is left afterwards, wherever it has put its things; a bank that it has folded is
// gone already.
static void burial(struct caller *c)
{
    const volatile struct exo_env_info *info = &EXO_ENVS[EXO_ENV_INDEX(c->id)];
    int64_t r;

    exo_env_kill(c->env, 0, 0);
    while (info->id == c->id && info->state != EXO_ENV_DEAD && info->state != EXO_ENV_FREE)
        exo_wait(0, 0, now() + 100000);
    by_reason[info->reason & 7]++;
    done += info->entries;
    put("# caller %lu, seed %lx: %lu calls, reason %u, code %lx\n", births, c->seed, info->entries,
        info->reason, info->code);
    exo_cap_delete(c->block);
    exo_cap_delete(c->env);
    exo_cap_delete(c->aspace);
    do
        r = exo_bank_destroy(c->bank);
    while (r == -EXO_EAGAIN);
    if (r && r != -EXO_EBADHANDLE)
        is(r, 0);
}

// What led here, the newest last, as far as the ring goes back.
static void trace_show(void)
{
    static struct exo_trace record[64];
    uint64_t cursor = 1;
    int64_t n;

    while ((n = exo_machine_trace(boot->machine, record, sizeof(record), &cursor)) > 0) {
        for (int64_t i = 0; i < n && record[i].env; i++)
            put("# env %u: %u(%lx, %lx, %lx, %lx) = %ld\n", record[i].env, record[i].number,
                record[i].args[0], record[i].args[1], record[i].args[2], record[i].args[3],
                record[i].result);
        if (n < 64)
            break;
    }
}

// All callers' banks are of one. What a caller has put beyond its own bank's end by folding it, an
// environment that holds itself, say, is the nursery's then, and goes with it.
static void nursery_open(void)
{
    nursery = NEED(exo_bank_split(boot->bank, NURSERY));
    for (unsigned i = 0; i < CALLERS; i++)
        birth(&callers[i]);
}

static void nursery_close(void)
{
    int64_t r;

    for (unsigned i = 0; i < CALLERS; i++)
        burial(&callers[i]);
    do
        r = exo_bank_destroy(nursery);
    while (r == -EXO_EAGAIN);
    if (r)
        is(r, 0);
}

static bool nursery_full(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};

    exo_cap_identify(nursery, &info);
    return info.length - info.used < 2 * (BANK + 1);
}

static void check(void)
{
    struct exo_check report = {.size = sizeof(report), .version = EXO_ABI_VERSION};

    checks++;
    exo_machine_check(boot->machine, &report, 0);
    if (report.violations) {
        trace_show();
        is(report.violations, 0);
        test_stop(); // nothing after it would mean much
    }
}

// One that makes no calls for a while is woken, then killed; every few thousand calls a caller's
// time is over.
static void look_after(struct caller *c)
{
    const volatile struct exo_env_info *info = &EXO_ENVS[EXO_ENV_INDEX(c->id)];
    bool over = info->id != c->id || info->state >= EXO_ENV_DYING ||
                info->entries > 40000 + c->seed % 30000;

    c->idle = info->entries == c->entries ? c->idle + 1 : 0;
    c->entries = info->entries;
    if (c->idle == 3)
        exo_env_notify(c->env, 1);
    if (!over && c->idle < 6)
        return;
    burial(c);
    if (births % 16 == 0)
        check();
    birth(c);
    if (nursery_full()) {
        nursery_close();
        nursery_open();
    }
}

// A caller must be able to do most things, or its noise proves little. Not these, with what it
// holds:
static bool out_of_reach(uint32_t nr)
{
    return nr == EXO_CALL_env_exit || nr == EXO_CALL_env_kill || nr == EXO_CALL_device_bar ||
           nr == EXO_CALL_machine_log || nr == EXO_CALL_machine_power ||
           nr == EXO_CALL_machine_check;
}

static void stats_show(void)
{
    for (unsigned i = 0; i < CALLS; i++) {
        uint32_t nr = calls[i].nr, good = STATS[nr], bad = STATS[EXO_CALL_LIMIT + nr];
        put("# call %u: %u succeeded, %u failed\n", nr, good, bad);
        if (!good && !out_of_reach(nr) && wanted >= 250000)
            is_at(0, 1, "a call never succeeded", (int)nr);
    }
}

static void serve_a_little(void)
{
    struct exo_msg m = {.meta = EXO_REPLY_NONE};

    for (unsigned i = 0; i < 4; i++) {
        if (exo_reply_wait(endpoint, &m, now() + 1500000) || CTX->in_kind != EXO_EV_CALL)
            break;
        for (unsigned k = 0; k < 4; k++)
            if (CTX->recv[k])
                exo_cap_delete(CTX->recv[k]);
        m.meta = EXO_META(16, 0);
    }
    m.meta = EXO_REPLY_NONE;
}

void test_main(void)
{
    struct exo_msg m = {.meta = EXO_REPLY_NONE | EXO_REPLY_ONLY}; // and no capabilities come
    uint64_t running = 0;

    seed = word("seed=", 1);
    wanted = word("calls=", 250) * 1000;
    put("# seed %lu, %lu calls\n", seed, wanted);
    upcalls_to(on_upcall);
    is(buy((uint64_t)STATS, 1, RW), 1);
    CTX->recv_max = 2; // so that the own table stays one page
    endpoint = NEED(exo_endpoint_create(boot->bank));
    lent_frames = NEED(exo_frames_alloc(boot->bank, 8, 0, 0));
    lent_segment = NEED(exo_segment_create(boot->bank));
    port = NEED(
        exo_cap_derive(boot->ioport, RW | EXO_R_DERIVE, 0, EXO_DERIVE_RANGE, 0x80ull << 32 | 1));
    time_slice = NEED(exo_slice_split(boot->slice, 48));
    is(exo_segment_fill(lent_segment, 0, lent_frames, 0, 4 | (uint64_t)RW << 32), 0);
    nursery_open();
    while (done + running < wanted) {
        serve_a_little();
        running = 0;
        for (unsigned i = 0; i < CALLERS; i++) {
            look_after(&callers[i]);
            running += EXO_ENVS[EXO_ENV_INDEX(callers[i].id)].entries;
        }
    }
    exo_reply_wait(endpoint, &m, 0);
    nursery_close();
    is(exo_cap_delete(port), 0);
    is(exo_cap_delete(time_slice), 0);
    is(exo_cap_delete(lent_segment), 0);
    is(exo_cap_delete(lent_frames), 0);
    is(exo_cap_delete(endpoint), 0);
    put("# %lu calls by %lu callers: %lu ended themselves, %lu were killed, %lu fell; %lu checks\n",
        done, births, by_reason[EXO_DEATH_EXIT], by_reason[EXO_DEATH_KILLED],
        by_reason[EXO_DEATH_UPCALL], checks);
    stats_show();
    is(unmap((uint64_t)STATS, 1), 1);
    ok(done >= wanted);
}
