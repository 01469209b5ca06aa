// SPDX-License-Identifier: MIT
//
// See test.h. Everything lives at fixed addresses: peer N has its block at PEER_VA + N * PEER_STEP
// and its stacks behind it.

#include <stdarg.h>
#include <string.h>
#include "test.h"

#define PEER_VA     0x600000000000ull
#define PEER_STEP   0x100000ull
#define PEER_STACK  0x10000ull // offset of its stack, 8 pages
#define PEER_UPCALL 0x20000ull // offset of its upcall stack, 2 pages

const struct exo_boot *boot;
bool quiet;
static unsigned count, failed;
static struct exo_check before;
static volatile int report_lock;

void *memset(void *dst, int value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        ((volatile char *)dst)[i] = (char)value;
    return dst;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        ((volatile char *)dst)[i] = ((const char *)src)[i];
    return dst;
}

// --- reporting

struct line {
    char text[256];
    unsigned at;
};

static void add_char(struct line *line, char c)
{
    if (line->at < sizeof(line->text))
        line->text[line->at++] = c;
}

static void add_number(struct line *line, uint64_t value, unsigned base)
{
    char digits[24];
    unsigned n = 0;

    do
        digits[n++] = "0123456789abcdef"[value % base];
    while (value /= base);
    while (n)
        add_char(line, digits[--n]);
}

static void add_item(struct line *line, char kind, bool wide, va_list *args)
{
    uint64_t value;
    const char *text;

    if (kind == 's') {
        for (text = va_arg(*args, const char *); *text; text++)
            add_char(line, *text);
        return;
    }
    value = wide          ? va_arg(*args, uint64_t)
            : kind == 'd' ? (uint64_t)(int64_t)va_arg(*args, int)
                          : va_arg(*args, unsigned);
    if (kind == 'd' && (int64_t)value < 0) {
        add_char(line, '-');
        value = -value;
    }
    add_number(line, value, kind == 'x' ? 16 : 10);
}

void put(const char *format, ...)
{
    struct line line = {.at = 0};
    va_list args;
    bool wide;

    va_start(args, format);
    for (; *format; format++) {
        if (*format != '%') {
            add_char(&line, *format);
            continue;
        }
        wide = *++format == 'l';
        add_item(&line, *(format += wide), wide, &args);
    }
    va_end(args);
    exo_machine_log(boot->machine, line.text, line.at);
}

void ok_at(bool good, const char *what, int line)
{
    if (quiet && good)
        return;
    while (__atomic_exchange_n(&report_lock, 1, __ATOMIC_ACQUIRE))
        exo_ctx_yield(0, 0, 0);
    count++;
    failed += !good;
    put("%s %u - line %d: %s\n", good ? "ok" : "not ok", count, line, what);
    __atomic_store_n(&report_lock, 0, __ATOMIC_RELEASE);
}

void is_at(int64_t got, int64_t want, const char *what, int line)
{
    if (got != want)
        put("# got %ld (%lx), expected %ld (%lx)\n", got, got, want, want);
    ok_at(got == want, what, line);
}

static void same(uint64_t then, uint64_t after, const char *what)
{
    if (then != after)
        put("# %s: %lu before, %lu after\n", what, then, after);
    ok_at(then == after, what, 0);
}

void test_stop(void)
{
    put("1..%u\n", count);
    exo_machine_power(boot->machine, EXO_POWER_OFF, failed != 0);
    for (;;)
        ;
}

void test_end(void)
{
    struct exo_check after = {.size = sizeof(after), .version = EXO_ABI_VERSION};
    exo_ns_t until = now() + 20000000;

    while (exo_wait(0, 0, until) == -EXO_EINTR) // idle time for work that was put off
        CTX->pending = 0;
    is(exo_machine_check(boot->machine, &after, 0), 0);
    same(0, after.violations, "invariants broken");
    for (unsigned i = 0; i <= EXO_FRAME_RUN; i++)
        same(before.frames[i], after.frames[i], frame_kinds[i]);
    for (unsigned i = 0; i < EXO_CAP_TYPES; i++)
        same(before.objects[i], after.objects[i], object_types[i]);
    same(before.caps, after.caps, "capabilities");
    test_stop();
}

void test_start(const struct exo_boot *page);
void test_start(const struct exo_boot *page)
{
    boot = page;
    before.size = sizeof(before);
    before.version = EXO_ABI_VERSION;
    exo_machine_check(boot->machine, &before, 0);
    test_main();
    test_end();
}

// --- upcalls

// The iretq frame is copied to the upcall stack before depth goes down, because an upcall that
// comes then reuses the save area.
void upcall_stub(void);
__asm__("    .text\n"
        "    .globl _start, upcall_stub\n"
        "_start:\n"
        "    call test_start\n"
        "upcall_stub:\n"
        "    mov %rdi, %rbx\n"
        "    call *upcall_handler(%rip)\n"
        "    sub $8, %rsp\n"
        "    pushq 0x98(%rbx)\n"
        "    pushq 0x90(%rbx)\n"
        "    pushq 0x88(%rbx)\n"
        "    pushq 0x80(%rbx)\n"
        "    pushq 0x78(%rbx)\n"
        "    mov 0x00(%rbx), %rax\n"
        "    mov 0x10(%rbx), %rcx\n"
        "    mov 0x18(%rbx), %rdx\n"
        "    mov 0x20(%rbx), %rsi\n"
        "    mov 0x28(%rbx), %rdi\n"
        "    mov 0x30(%rbx), %rbp\n"
        "    mov 0x38(%rbx), %r8\n"
        "    mov 0x40(%rbx), %r9\n"
        "    mov 0x48(%rbx), %r10\n"
        "    mov 0x50(%rbx), %r11\n"
        "    mov 0x58(%rbx), %r12\n"
        "    mov 0x60(%rbx), %r13\n"
        "    mov 0x68(%rbx), %r14\n"
        "    mov 0x70(%rbx), %r15\n"
        "    mov 0x08(%rbx), %rbx\n"
        "    decl %gs:0x78\n"
        "    iretq\n");

void (*upcall_handler)(struct exo_save *save);

void upcalls_to(void (*handler)(struct exo_save *save))
{
    upcall_handler = handler;
    CTX->upcall_entry = (uint64_t)upcall_stub;
}

uint64_t now(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return EXO_INFO->tsc_ns +
           (uint64_t)((unsigned __int128)((lo | (uint64_t)hi << 32) - EXO_INFO->tsc_base) *
                          EXO_INFO->tsc_mult >>
                      EXO_INFO->tsc_shift);
}

// --- memory

int64_t buy(uint64_t va, uint32_t pages, uint32_t rights)
{
    struct exo_map_op op = {.kind = EXO_OP_BUY, .count = pages, .va = va, .rights = rights};

    return exo_aspace_batch(0, boot->bank, &op, 1);
}

int64_t unmap(uint64_t va, uint32_t pages)
{
    struct exo_map_op op = {.kind = EXO_OP_UNMAP, .count = pages, .va = va};

    return exo_aspace_batch(0, boot->bank, &op, 1);
}

int64_t map(exo_handle_t aspace, exo_handle_t cap, uint64_t va, uint64_t first, uint32_t pages,
            uint32_t rights)
{
    struct exo_map_op op = {
        .kind = EXO_OP_MAP, .count = pages, .va = va, .cap = cap, .first = first, .rights = rights};

    return exo_aspace_batch(aspace, boot->bank, &op, 1);
}

// --- peers

void peer_make(struct peer *peer, unsigned slot, bool new_env, exo_handle_t supervisor,
               uint64_t cookie, void (*fn)(void *arg), void *arg)
{
    uint64_t va = PEER_VA + slot * PEER_STEP, stack = va + PEER_STACK + 8 * EXO_PAGE_SIZE - 8;
    struct exo_regs regs = {.size = sizeof(regs), .version = EXO_ABI_VERSION};
    int64_t index;

    memset(peer, 0, sizeof(*peer));
    peer->ctx = (volatile struct exo_ctx *)va;
    peer->msg = (char *)va + EXO_PAGE_SIZE;
    is(buy(va + PEER_STACK, 8, RW), 1);
    is(buy(va + PEER_UPCALL, 2, RW), 1);
    if (new_env) {
        peer->env = (exo_handle_t)exo_env_create(boot->bank, 0, supervisor, cookie);
        ok((int64_t)peer->env > 0);
    }
    peer->block = (exo_handle_t)exo_frames_alloc(boot->bank, 2, 0, 0);
    index = exo_ctx_create(peer->env, boot->bank, peer->block, va);
    ok(index >= 0);
    peer->index = (uint32_t)index;
    peer->id = peer->ctx->env;
    peer->ctx->upcall_entry = (uint64_t)upcall_stub;
    peer->ctx->upcall_stack_top = va + PEER_UPCALL + 2 * EXO_PAGE_SIZE;
    peer->ctx->upcall_stack_size = 2 * EXO_PAGE_SIZE;
    regs.gpr.rip = (uint64_t)fn;
    regs.gpr.rdi = (uint64_t)arg;
    regs.gpr.rsp = stack;
    is(exo_ctx_set(peer->env, peer->index, &regs), 0);
}

void peer_start(struct peer *peer, unsigned slot, bool new_env, exo_handle_t supervisor,
                uint64_t cookie, void (*fn)(void *arg), void *arg)
{
    peer_make(peer, slot, new_env, supervisor, cookie, fn, arg);
    is(exo_ctx_bind(peer->env, peer->index, boot->slice), 0);
}

void peer_end(struct peer *peer)
{
    uint64_t va = (uint64_t)peer->ctx;

    exo_env_kill(peer->env, 0, 0);
    while (EXO_ENVS[EXO_ENV_INDEX(peer->id)].state != EXO_ENV_DEAD)
        exo_ctx_yield(0, 0, 0);
    is(exo_cap_delete(peer->env), 0);
    is(exo_cap_delete(peer->block), 0);
    is(unmap(va + PEER_STACK, 8), 1);
    is(unmap(va + PEER_UPCALL, 2), 1);
}

exo_handle_t give(const struct peer *peer, exo_handle_t cap, uint32_t rights)
{
    int64_t handle = exo_cap_copy(cap, rights, peer->env, 0);

    ok(handle > 0);
    return (exo_handle_t)handle;
}
