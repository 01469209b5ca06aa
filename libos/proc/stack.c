// SPDX-License-Identifier: MIT
//
// The initial stack of a program: Linux x86-64 (System V psABI, figure 3.9, and getauxval(3)). From
// high to low:
//
//     strings: path, platform, 16 random bytes, argv, envp
//     auxv, NULL, envp[], NULL, argv[], argc        <- sp, 16-byte aligned
#include <proc/exec.h>
#include <mem/mem.h>

#define STACK_EAGER     (4 * PAGE) // bought below what is written
#define HWCAP2_FSGSBASE 2u
#define FRAME_FIXED     2048u // a signal frame without the FPU state

long px_getrandom(uint64_t buf, size_t n, uint32_t flags);

static const char platform[] = "x86_64";

static uint32_t cpuid(uint32_t leaf, uint32_t sub, char reg)
{
    uint32_t a = leaf, b, c = sub, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return reg == 'b' ? b : d;
}

static uint64_t signal_stack(void)
{
    uint32_t fpu = EXO_INFO->features & EXO_CPU_XSAVE ? cpuid(0xd, 0, 'b') : 512;
    return FRAME_FIXED + fpu;
}

static unsigned fill_auxv(uint64_t *v, const struct loaded *l, uint64_t execfn, uint64_t plat,
                          uint64_t random)
{
    const volatile struct proc_rec *me = proc_self();
    const uint64_t pairs[][2] = {
        {LX_AT_PHDR, l->at_phdr},
        {LX_AT_PHENT, sizeof(struct lx_elf_phdr)},
        {LX_AT_PHNUM, l->phnum},
        {LX_AT_BASE, l->at_base},
        {LX_AT_ENTRY, l->at_entry},
        {LX_AT_FLAGS, 0},
        {LX_AT_UID, me->ruid},
        {LX_AT_EUID, me->euid},
        {LX_AT_GID, me->rgid},
        {LX_AT_EGID, me->egid},
        {LX_AT_SECURE, me->ruid != me->euid || me->rgid != me->egid},
        {LX_AT_PAGESZ, PAGE},
        {LX_AT_CLKTCK, 100},
        {LX_AT_HWCAP, cpuid(1, 0, 'd')},
        {LX_AT_HWCAP2, EXO_INFO->features & EXO_CPU_FSGSBASE ? HWCAP2_FSGSBASE : 0},
        {LX_AT_SYSINFO_EHDR, (uint64_t)libos_vdso},
        {LX_AT_MINSIGSTKSZ, signal_stack()},
        {LX_AT_RANDOM, random},
        {LX_AT_EXECFN, execfn},
        {LX_AT_PLATFORM, plat},
        {l->at_start ? AT_EXO_START : LX_AT_NULL, l->at_start},
        {LX_AT_NULL, 0},
    };
    memcpy(v, pairs, sizeof pairs);
    return sizeof pairs / sizeof(uint64_t);
}

#define AUXV_WORDS 64

static int map_stack(uint64_t used)
{
    uint64_t start = page_down(APP_STACK_TOP - used) - STACK_EAGER;
    struct map_request q = {
        .addr = start,
        .len = APP_STACK_TOP - start,
        .prot = LX_PROT_READ | LX_PROT_WRITE,
        .map_flags = LX_MAP_FIXED | LX_MAP_POPULATE,
        .region_flags = RF_STACK,
    };
    long r = mem_map(&q);
    return r < 0 ? (int)r : 0;
}

// Addresses of the strings once the block lies at `base`.
static unsigned pointers(uint64_t *v, const struct strings *s, uint64_t base)
{
    unsigned n = 0;
    for (size_t at = 0; at < s->used; at += strlen(s->text + at) + 1)
        v[n++] = base + at;
    v[n++] = 0;
    return n;
}

static bool put_block(uint64_t *top, const void *data, size_t n)
{
    *top -= n;
    return user_write(*top, data, n) == 0;
}

int stack_build(const struct args *a, const struct loaded *l, uint64_t *sp)
{
    size_t words = a->argv.count + a->envp.count + 3 + AUXV_WORDS;
    size_t strings = a->argv.used + a->envp.used + strlen(l->path) + sizeof platform + 16;
    uint64_t *v = heap_alloc(words * sizeof *v);
    int error = v ? map_stack(strings + words * sizeof *v + 256) : -LX_ENOMEM;
    if (error) {
        heap_free(v);
        return error;
    }
    uint64_t top = APP_STACK_TOP - 8; // the last word stays zero
    bool ok = put_block(&top, l->path, strlen(l->path) + 1);
    uint64_t execfn = top;
    ok = ok && put_block(&top, platform, sizeof platform);
    uint64_t plat = top;
    ok = ok && put_block(&top, a->envp.text, a->envp.used);
    uint64_t envp = top;
    ok = ok && put_block(&top, a->argv.text, a->argv.used);
    uint64_t argv = top;
    uint64_t random = (top - 16) & ~15ull;
    ok = ok && px_getrandom(random, 16, 0) == 16;

    unsigned n = 0;
    v[n++] = a->argv.count;
    n += pointers(v + n, &a->argv, argv);
    n += pointers(v + n, &a->envp, envp);
    n += fill_auxv(v + n, l, execfn, plat, random);
    *sp = (random - n * sizeof *v) & ~15ull;
    ok = ok && user_write(*sp, v, n * sizeof *v) == 0;
    heap_free(v);
    return ok ? 0 : -LX_EFAULT;
}
