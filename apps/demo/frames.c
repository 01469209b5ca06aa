// SPDX-License-Identifier: MIT
/*
 * exo-demo: what an exokernel exposes, from an ordinary program.
 *
 *   1. It reads the kernel's frame table, chooses a free frame by its physical number, and buys
 *      exactly that frame.
 *   2. It shares memory with a forked child and passes a token back and forth by giving the CPU
 *      directly to the other (libos_yield_to): the scheduler's only decision is ours.
 *   3. It reads the environment table: kernel calls made, CPU time used.
 *
 * Everything else in it is plain POSIX.
 */
#include <exo/libos.h>
#include <exo/domain.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 1000

static int fail(const char *what, int64_t error)
{
    fprintf(stderr, "exo-demo: %s: %s\n", what, exo_error_text(error));
    return 1;
}

// The highest free frame below the end of memory. The table is a hint: another process may be
// quicker, then the next is tried.
static int64_t buy_by_number(exo_fn_t *number)
{
    for (exo_fn_t fn = EXO_INFO->frames; fn-- > 0;) {
        if (EXO_FRAMES[fn].kind != EXO_FRAME_FREE)
            continue;
        int64_t cap = exo_frames_alloc(libos_bank(), 1, EXO_FRAMES_AT, fn);
        if (cap != -EXO_EBUSY) {
            *number = fn;
            return cap;
        }
    }
    return -EXO_ENOMEM;
}

static int show_frame(void)
{
    exo_fn_t fn;
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    int64_t cap = buy_by_number(&fn);
    if (cap < 0)
        return fail("buying a frame by number", cap);
    char *page = exo_map((exo_handle_t)cap, 0, 1, EXO_R_READ | EXO_R_WRITE);
    int64_t err = exo_cap_identify((exo_handle_t)cap, &info);
    if (!page || err < 0)
        return fail("mapping it", err);
    snprintf(page, EXO_PAGE_SIZE, "written to a frame we named ourselves");
    printf("frame %" PRIu64 " (physical %#" PRIx64 ") is ours: \"%s\"\n", info.first_frame,
           (uint64_t)(info.first_frame * EXO_PAGE_SIZE), page);
    return info.first_frame == fn ? 0 : fail("it is another frame", -EXO_EINVAL);
}

struct shared {
    volatile int token; // 0 the parent's turn, 1 the child's
    volatile int passes;
};

static void take_turns(struct shared *s, int mine, exo_handle_t peer)
{
    for (int i = 0; i < ROUNDS; i++) {
        while (s->token != mine)
            libos_yield_to(peer, 1000000);
        s->passes++;
        s->token = !mine;
    }
    libos_yield_to(peer, 1000000);
}

static int show_yield(void)
{
    struct shared *s;
    int64_t cap = libos_share_memory(sizeof(*s), (void **)&s);
    if (cap < 0)
        return fail("sharing memory", cap);
    pid_t parent = getpid(), child = fork();
    if (child < 0)
        return fail("fork", -EXO_ENOMEM);
    int64_t peer = libos_peer(child ? child : parent);
    if (peer < 0)
        return fail("asking for the other's environment", peer);
    take_turns(s, child == 0, (exo_handle_t)peer);
    if (!child)
        _exit(0);
    int status;
    waitpid(child, &status, 0);
    printf("%d turns taken by yielding to each other\n", s->passes);
    return s->passes == 2 * ROUNDS && status == 0 ? 0 : 1;
}

static void show_tables(void)
{
    struct exo_ctx *ctx;
    __asm__("mov %%gs:0x08, %0" : "=r"(ctx));
    const volatile struct exo_env_info *me = &EXO_ENVS[EXO_ENV_INDEX(ctx->env)];
    printf("%" PRIu64 " frames, %" PRIu64 " free; this environment made %" PRIu64
           " kernel calls in %" PRIu64 " us of CPU time\n",
           EXO_INFO->frames, EXO_INFO->frames_free, me->entries, me->cpu_ns / 1000);
}

int main(void)
{
    int bad = show_frame() || show_yield();
    show_tables();
    return bad;
}
