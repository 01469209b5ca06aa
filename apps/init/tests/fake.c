// SPDX-License-Identifier: MIT
// See fake.h.
#include "fake.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 65536u

struct exo_info fake_info = {.frames = 65536, .envs = FAKE_ENVS};
struct exo_frame fake_frames[1];
struct exo_env_info fake_envs[FAKE_ENVS];
unsigned char fake_ctx[2 * 4096] __attribute__((aligned(4096)));
unsigned char fake_proctab[1];
unsigned char fake_memory[16384];
exo_ns_t fake_now = 1000000000;
unsigned fake_room;
uint8_t (*fake_any)(void);
exo_handle_t exo_map_bank;

static struct slot {
    uint32_t type, generation; // type 0: vacant
    uint64_t env;              // ENV: whose
} slots[SLOTS];
static unsigned used;
static uint64_t cookies[FAKE_ENVS], deaths[FAKE_ENVS];
static unsigned ndeaths;

static void fail(const char *why)
{
    fprintf(stderr, "fake kernel: %s\n", why);
    abort();
}

exo_handle_t fake_new(uint32_t type, uint64_t env)
{
    static uint32_t at;
    uint32_t i = at;

    do
        i = i + 1 < SLOTS ? i + 1 : 1;
    while (slots[i].type && i != at);
    if (slots[i].type)
        fail("no slots");
    at = i;
    slots[i].type = type;
    slots[i].env = env;
    slots[i].generation++;
    used++;
    return (exo_handle_t)slots[i].generation << EXO_HANDLE_BITS | i;
}

unsigned fake_count(void)
{
    return used;
}

static struct slot *own(exo_handle_t h, uint32_t type)
{
    struct slot *s = &slots[EXO_HANDLE_INDEX(h) % SLOTS];

    if (!s->type || s->generation != h >> EXO_HANDLE_BITS || (type && s->type != type))
        fail("init used a handle that it has not, or of another type");
    return s;
}

static int64_t bought(exo_handle_t bank, uint32_t type)
{
    own(bank, EXO_CAP_BANK);
    return fake_any() % 32 == 31 ? -EXO_ENOMEM : (int64_t)fake_new(type, 0);
}

// --- environments --------------------------------------------------------------------------------

uint64_t fake_env_new(exo_handle_t *handle, uint64_t cookie)
{
    static uint64_t serial;
    uint32_t i = 1;

    while (i < FAKE_ENVS && fake_envs[i].state != EXO_ENV_FREE)
        i++;
    if (i == FAKE_ENVS)
        fail("no environments");
    serial++;
    fake_envs[i] = (struct exo_env_info){
        .id = serial << 32 | i, .state = EXO_ENV_NEW, .contexts = serial % 3, .cpu_ns = 1000};
    cookies[i] = cookie;
    *handle = fake_new(EXO_CAP_ENV, fake_envs[i].id);
    return fake_envs[i].id;
}

void fake_kill(uint64_t env, uint32_t reason, uint64_t code)
{
    struct exo_env_info *e = &fake_envs[EXO_ENV_INDEX(env)];

    if (e->id != env || e->state >= EXO_ENV_DYING)
        return;
    e->state = EXO_ENV_DYING;
    e->reason = reason;
    e->code = code;
    deaths[ndeaths++] = cookies[EXO_ENV_INDEX(env)];
}

bool fake_death(uint64_t *cookie)
{
    if (!ndeaths)
        return false;
    *cookie = deaths[0];
    memmove(deaths, deaths + 1, --ndeaths * sizeof(deaths[0]));
    for (uint32_t i = 1; i < FAKE_ENVS; i++)
        if (fake_envs[i].state == EXO_ENV_DYING && cookies[i] == *cookie)
            fake_envs[i].state = EXO_ENV_DEAD;
    return true;
}

int64_t exo_env_create(exo_handle_t bank, exo_handle_t aspace, exo_handle_t supervisor,
                       uint64_t cookie)
{
    exo_handle_t h;

    own(bank, EXO_CAP_BANK), own(aspace, EXO_CAP_ASPACE), own(supervisor, EXO_CAP_ENDPOINT);
    if (!fake_room || fake_any() % 32 == 31)
        return -EXO_ENOMEM;
    fake_room--;
    fake_env_new(&h, cookie);
    return (int64_t)h;
}

int64_t exo_domain_create(const struct exo_domain *d, exo_handle_t *env)
{
    for (unsigned i = 0; i < d->nslots; i++)
        own(d->slots[i].cap, 0);
    own(d->slice, EXO_CAP_SLICE);
    if (d->start_bytes > 256 * 4096)
        fail("too much start information");
    if (!fake_room || fake_any() % 16 == 15)
        return -EXO_ENOMEM;
    fake_room--;
    own(d->bank, EXO_CAP_BANK);
    fake_env_new(env, d->cookie);
    return exo_domain_write_start(d, *env);
}

int64_t exo_domain_write_start(const struct exo_domain *d, exo_handle_t env)
{
    own(env, EXO_CAP_ENV);
    if (d->start_bytes && memchr(d->start, 0, d->start_bytes) == NULL)
        fail("start information without an end");
    return fake_any() % 32 == 31 ? -EXO_ENOMEM : 0;
}

int64_t exo_domain_start(const struct exo_domain *d, exo_handle_t env)
{
    struct exo_env_info *e = &fake_envs[EXO_ENV_INDEX(own(env, EXO_CAP_ENV)->env)];

    (void)d;
    if (fake_any() % 32 == 31)
        return -EXO_ENOMEM;
    if (e->state == EXO_ENV_NEW)
        e->state = EXO_ENV_LIVE;
    return 0;
}

int64_t exo_env_kill(exo_handle_t env, uint64_t code, uint64_t flags)
{
    (void)flags;
    fake_kill(own(env, EXO_CAP_ENV)->env, EXO_DEATH_KILLED, code);
    return 0;
}

int64_t exo_env_notify(exo_handle_t env, uint64_t bits)
{
    own(env, EXO_CAP_ENV);
    return bits ? 0 : -EXO_EINVAL;
}

int64_t exo_env_memory(exo_handle_t env, uint64_t va, const volatile void *buffer, uint64_t length,
                       uint64_t write)
{
    own(env, EXO_CAP_ENV);
    if (write || length > 4096)
        fail("init writes to a process's memory, or reads too much");
    if (va < 0x1000 || va - 0x1000 > sizeof(fake_memory) ||
        length > sizeof(fake_memory) - (va - 0x1000))
        return -EXO_EFAULT;
    memcpy((void *)(uintptr_t)buffer, fake_memory + (va - 0x1000), length);
    return (int64_t)length;
}

int64_t exo_ctx_bind(exo_handle_t env, uint64_t ctx, exo_handle_t slice)
{
    struct slot *s = own(env, EXO_CAP_ENV);

    if (slice)
        own(slice, EXO_CAP_SLICE);
    return ctx < fake_envs[EXO_ENV_INDEX(s->env)].contexts ? 0 : -EXO_ENOENT;
}

// --- capabilities --------------------------------------------------------------------------------

int64_t exo_cap_derive(exo_handle_t src, uint64_t rights, uint64_t badge, uint64_t flags,
                       uint64_t range)
{
    (void)rights, (void)badge, (void)flags, (void)range;
    return (int64_t)fake_new(own(src, 0)->type, own(src, 0)->env);
}

int64_t exo_cap_copy(exo_handle_t src, uint64_t rights, exo_handle_t env, uint64_t index)
{
    (void)rights;
    own(src, 0), own(env, EXO_CAP_ENV);
    return fake_any() % 32 == 31 ? -EXO_ENOSLOT : (int64_t)(index ? index : 99);
}

// The last capability to an environment is init's: with it the environment goes.
int64_t exo_cap_delete(exo_handle_t h)
{
    struct slot *s = own(h, 0);
    uint32_t i = EXO_ENV_INDEX(s->env);

    if (s->type == EXO_CAP_ENV && fake_envs[i].id == s->env) {
        for (unsigned d = 0; d < ndeaths; d++)
            if (deaths[d] == cookies[i] && fake_envs[i].state == EXO_ENV_DYING)
                deaths[d] = deaths[--ndeaths];
        fake_envs[i].state = EXO_ENV_FREE;
    }
    s->type = 0;
    used--;
    return 0;
}

int64_t exo_cap_revoke(exo_handle_t h)
{
    own(h, 0);
    return fake_any() % 8 == 7 ? -EXO_EAGAIN : 0;
}

int64_t exo_cap_identify(exo_handle_t h, const volatile void *out)
{
    struct slot *s = own(h, 0);
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};

    info.type = s->type;
    info.rights = EXO_R_ALL;
    info.env = s->env;
    info.length = s->type == EXO_CAP_SLICE ? 8 : 100000;
    info.used = fake_any() * 390u;
    memcpy((void *)(uintptr_t)out, &info, sizeof(info));
    return 0;
}

int64_t exo_endpoint_create(exo_handle_t bank)
{
    return bought(bank, EXO_CAP_ENDPOINT);
}

int64_t exo_aspace_create(exo_handle_t bank)
{
    return bought(bank, EXO_CAP_ASPACE);
}

int64_t exo_segment_create(exo_handle_t bank)
{
    return (int64_t)fake_new(EXO_CAP_SEGMENT, 0 * bank);
}

int64_t exo_frames_alloc(exo_handle_t bank, uint64_t count, uint64_t flags, uint64_t frame)
{
    (void)count, (void)flags, (void)frame;
    return bought(bank, EXO_CAP_FRAMES);
}

int64_t exo_segment_fill(exo_handle_t seg, uint64_t index, exo_handle_t frames, uint64_t first,
                         uint64_t count_rights)
{
    (void)first, (void)count_rights;
    own(seg, EXO_CAP_SEGMENT), own(frames, EXO_CAP_FRAMES);
    return index < 512 ? 0 : -EXO_EINVAL;
}

int64_t exo_bank_split(exo_handle_t bank, uint64_t frames)
{
    if (frames == 0 || frames > 100000)
        return frames ? -EXO_ENOMEM : -EXO_EINVAL;
    return bought(bank, EXO_CAP_BANK);
}

int64_t exo_bank_destroy(exo_handle_t bank)
{
    own(bank, EXO_CAP_BANK);
    return fake_any() % 8 == 7 ? -EXO_EAGAIN : exo_cap_delete(bank);
}

int64_t exo_bank_reclaim(exo_handle_t bank, uint64_t limit, uint64_t grace, uint64_t flags)
{
    (void)limit, (void)grace, (void)flags;
    own(bank, EXO_CAP_BANK);
    return fake_any() % 2 ? 0 : -EXO_EAGAIN;
}

int64_t exo_bank_grant(exo_handle_t bank, exo_handle_t child, uint64_t frames)
{
    (void)frames;
    own(bank, EXO_CAP_BANK), own(child, EXO_CAP_BANK);
    return 0;
}

int64_t exo_slice_split(exo_handle_t slice, uint64_t positions)
{
    own(slice, EXO_CAP_SLICE);
    return positions && fake_any() % 4 ? (int64_t)fake_new(EXO_CAP_SLICE, 0) : -EXO_ENOMEM;
}

// --- the rest ------------------------------------------------------------------------------------

exo_ns_t exo_clock_ns(void)
{
    return fake_now += 1000;
}

const char *exo_error_text(int64_t error)
{
    (void)error;
    return "error";
}

void *exo_map(exo_handle_t cap, uint64_t first, uint64_t pages, uint32_t rights)
{
    static char table[512 * 4096] __attribute__((aligned(4096)));

    (void)first, (void)rights;
    own(cap, EXO_CAP_SEGMENT);
    return pages <= 512 ? table : NULL;
}

int64_t exo_libos_image_read(exo_handle_t bank, exo_handle_t module, const void *elf,
                             uint64_t bytes, struct exo_libos_image *image)
{
    (void)bank, (void)module, (void)elf, (void)bytes, (void)image;
    return -EXO_EINVAL;
}

int64_t exo_wake(uint64_t va, uint64_t count)
{
    volatile uint32_t word = *(volatile uint32_t *)va;

    (void)count, (void)word;
    return 0;
}

int64_t exo_wait(const volatile void *conds, uint64_t count, uint64_t deadline)
{
    (void)conds, (void)count, (void)deadline;
    fail("init sleeps in the middle of a call");
    return 0;
}

int64_t exo_reply_wait(exo_handle_t endpoint, struct exo_msg *m, exo_ns_t deadline)
{
    (void)endpoint, (void)m, (void)deadline;
    fail("init waits in the middle of a call");
    return 0;
}

int64_t exo_machine_power(exo_handle_t machine, uint64_t action, uint64_t code)
{
    (void)machine, (void)action, (void)code;
    return 0;
}

int64_t exo_machine_check(exo_handle_t machine, const volatile void *report, uint64_t flags)
{
    (void)machine, (void)report, (void)flags;
    return 0;
}
