// SPDX-License-Identifier: MIT
// The fake kernel; see fake_exo.h. It aborts on what the server may never do, such as using a
// handle that is not its own any more where that cannot be a client's fault.
#define _GNU_SOURCE
#include "fake_exo.h"
#include <exo/domain.h>
#include <proto/server.h>
#include <proto/start.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS 65536u

struct exo_info fake_info;
struct exo_frame fake_frames[FAKE_FRAMES];
struct exo_env_info fake_envs[FAKE_ENVS];
unsigned char fake_ctx[2 * 4096] __attribute__((aligned(4096)));
unsigned char fake_proctab[FAKE_ENVS * 1024] __attribute__((aligned(4096)));
struct fake_object *fake_objects;
exo_ns_t fake_now;
uint64_t fake_wakes;
bool fake_again;
unsigned long fake_seed = 1;
exo_handle_t exo_map_bank = H_BANK;

static struct fake_cap slots[SLOTS];
static uint32_t top = 1; // slots from here on were never used
static uint32_t vacant[SLOTS], nvacant;
static char *memory;
static int memory_fd = -1;
static bool taken[FAKE_FRAMES];
static uint64_t next_id, search_from = 1, window_next = SERVER_WINDOWS;
static exo_handle_t events[SLOTS];
static uint32_t nevents;

static void fail(const char *why)
{
    fprintf(stderr, "fake kernel: %s\n", why);
    abort();
}

uint32_t fake_rand(uint32_t below)
{
    fake_seed = fake_seed * 6364136223846793005ul + 1442695040888963407ul;
    return below ? (uint32_t)(fake_seed >> 33) % below : 0;
}

static bool again(void)
{
    return fake_again && fake_rand(4) == 0;
}

void *fake_frame(uint64_t frame)
{
    return memory + frame * 4096;
}

// --- objects and slots ---------------------------------------------------------------------------

static struct fake_object *object_new(uint32_t type)
{
    struct fake_object *o = calloc(1, sizeof(*o));
    o->type = type;
    o->id = ++next_id;
    o->next = fake_objects;
    fake_objects = o;
    return o;
}

static struct fake_object *bank(void)
{
    return slots[1].obj;
}

static void object_free(struct fake_object *o)
{
    struct fake_object **at = &fake_objects;
    while (*at != o)
        at = &(*at)->next;
    *at = o->next;
    for (uint64_t f = o->first; f < o->first + o->count; f++) {
        memset(fake_frame(f), 0xaa, 4096);
        taken[f] = false;
        bank()->used--;
    }
    if (o->type == EXO_CAP_SEGMENT)
        bank()->used -= 2;
    free(o->entry);
    free(o);
}

static void object_put(struct fake_object *o)
{
    if (o->caps || o->held)
        return;
    for (int i = 0; o->entry && i < 512; i++) {
        struct fake_object *run = o->entry[i].run;
        o->entry[i].run = NULL;
        if (run && --run->held == 0)
            object_put(run);
    }
    object_free(o);
}

static exo_handle_t handle_of(uint32_t slot)
{
    return (exo_handle_t)slots[slot].generation << EXO_HANDLE_BITS | slot;
}

static exo_handle_t slot_new(struct fake_object *o, uint64_t env, uint32_t rights, uint64_t badge,
                             uint32_t parent)
{
    uint32_t slot = nvacant ? vacant[--nvacant] : top < SLOTS ? top++ : 0;
    if (!slot)
        fail("no slots");
    struct fake_cap *c = &slots[slot];
    *c = (struct fake_cap){.obj = o,
                           .generation = c->generation + 1,
                           .rights = rights,
                           .badge = badge,
                           .parent = parent,
                           .env = env};
    o->caps++;
    o->wcaps += (rights & EXO_R_WRITE) != 0;
    return handle_of(slot);
}

static bool has_children(uint32_t slot)
{
    for (uint32_t i = 1; i < top; i++) {
        if (slots[i].obj && slots[i].parent == slot)
            return true;
    }
    return false;
}

static void window_drop(struct fake_cap *c)
{
    if (!c->window)
        return;
    mmap((void *)c->window, c->window_pages * 4096, PROT_NONE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    c->window = 0;
}

static void slot_delete(uint32_t slot)
{
    struct fake_cap *c = &slots[slot];
    struct fake_object *o = c->obj;
    uint32_t parent = c->parent;
    for (uint32_t i = 0; i < nevents; i++) {
        if (EXO_HANDLE_INDEX(events[i]) == slot)
            events[i--] = events[--nevents];
    }
    for (uint32_t i = 1; i < top; i++) {
        if (slots[i].obj && slots[i].parent == slot)
            slots[i].parent = parent;
    }
    window_drop(c);
    o->caps--;
    o->wcaps -= (c->rights & EXO_R_WRITE) != 0;
    c->obj = NULL;
    vacant[nvacant++] = slot;
    if (parent && slots[parent].watch && !has_children(parent))
        events[nevents++] = handle_of(parent);
    object_put(o);
}

struct fake_cap *fake_cap(exo_handle_t h, uint64_t env, uint32_t type, uint32_t rights)
{
    uint32_t slot = EXO_HANDLE_INDEX(h);
    struct fake_cap *c = slot < top ? &slots[slot] : NULL;
    if (!c || !c->obj || handle_of(slot) != h || c->env != env)
        return NULL;
    return (type && c->obj->type != type) || (rights & ~c->rights) ? NULL : c;
}

static struct fake_cap *own(exo_handle_t h, uint32_t type, uint32_t rights)
{
    struct fake_cap *c = fake_cap(h, 0, type, rights);
    if (!c)
        fail("the server used a handle it has not, or not with these rights");
    return c;
}

unsigned fake_count(uint64_t env)
{
    unsigned n = 0;
    for (uint32_t i = 1; i < top; i++)
        n += slots[i].obj && slots[i].env == env;
    return n;
}

exo_handle_t fake_send(uint64_t from, uint64_t to, exo_handle_t h, uint32_t rights, uint32_t mode)
{
    struct fake_cap *c = fake_cap(h, from, 0, 0);
    if (!c)
        return 0;
    uint32_t parent = mode == EXO_SEND_DERIVE ? EXO_HANDLE_INDEX(h) : c->parent;
    exo_handle_t new = slot_new(c->obj, to, rights & c->rights, c->badge, parent);
    if (mode == EXO_SEND_MOVE)
        slot_delete(EXO_HANDLE_INDEX(h));
    return new;
}

exo_handle_t fake_endpoint(uint64_t env, uint64_t badge)
{
    return slot_new(object_new(EXO_CAP_ENDPOINT), env, EXO_R_ALL, badge, 0);
}

void fake_delete(uint64_t env, exo_handle_t h)
{
    if (fake_cap(h, env, 0, 0))
        slot_delete(EXO_HANDLE_INDEX(h));
}

void fake_delete_all(uint64_t env)
{
    for (uint32_t i = 1; i < top; i++) {
        if (slots[i].obj && slots[i].env == env)
            slot_delete(i);
    }
}

exo_handle_t fake_childless(void)
{
    while (nevents) {
        exo_handle_t h = events[0];
        memmove(events, events + 1, --nevents * sizeof(events[0]));
        if (!has_children(EXO_HANDLE_INDEX(h)))
            return h;
    }
    return 0;
}

// --- starting ------------------------------------------------------------------------------------

void fake_start(uint64_t bank_frames)
{
    memory_fd = memfd_create("frames", 0);
    if (memory_fd < 0 || ftruncate(memory_fd, FAKE_FRAMES * 4096L) < 0)
        fail("no memory");
    memory = mmap(NULL, FAKE_FRAMES * 4096L, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
    fake_info =
        (struct exo_info){.frames = FAKE_FRAMES, .envs = FAKE_ENVS, .wall_ns = 1700000000000000000};
    fake_now = 1000000000;
    struct fake_object *b = object_new(EXO_CAP_BANK);
    b->limit = bank_frames;
    slot_new(b, 0, EXO_R_ALL, 0, 0);
    if (handle_of(1) != H_BANK)
        fail("the bank is not where it should be");
}

static uint64_t run_find(uint64_t count)
{
    for (uint64_t tries = 0; tries < 2; tries++) {
        uint64_t run = 0;
        for (uint64_t f = search_from; f < FAKE_FRAMES; f++) {
            run = taken[f] ? 0 : run + 1;
            if (run == count) {
                search_from = f + 1;
                return f + 1 - count;
            }
        }
        search_from = 1;
    }
    return 0;
}

static struct fake_object *run_new(uint64_t count)
{
    uint64_t first = run_find(count);
    if (!first)
        return NULL;
    struct fake_object *o = object_new(EXO_CAP_FRAMES);
    o->first = first;
    o->count = count;
    bank()->used += count;
    for (uint64_t f = first; f < first + count; f++) {
        taken[f] = true;
        memset(fake_frame(f), 0, 4096);
    }
    return o;
}

exo_handle_t fake_module(const void *bytes, uint64_t n)
{
    struct fake_object *o = run_new((n + 4095) / 4096);
    if (!o)
        fail("no memory for the module");
    bank()->used -= o->count; // somebody else's
    memcpy(fake_frame(o->first), bytes, n);
    return slot_new(o, 0, EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC, 0, 0);
}

// --- calls ---------------------------------------------------------------------------------------

exo_ns_t exo_clock_ns(void)
{
    return fake_now;
}

const char *exo_error_text(int64_t error)
{
    (void)error;
    return "error";
}

int64_t exo_cap_derive(exo_handle_t src, uint64_t rights, uint64_t badge, uint64_t flags,
                       uint64_t range)
{
    struct fake_cap *c = own(src, 0, (uint32_t)rights);
    (void)range;
    if ((flags & EXO_DERIVE_BADGE) && (c->badge || !badge))
        return -EXO_EINVAL;
    exo_handle_t h = slot_new(c->obj, 0, (uint32_t)rights,
                              flags & EXO_DERIVE_BADGE ? badge : c->badge, EXO_HANDLE_INDEX(src));
    slots[EXO_HANDLE_INDEX(h)].watch = flags & EXO_DERIVE_WATCH;
    return (int64_t)h;
}

// What the server received from a client and revoked itself, since it came from the server.
static exo_handle_t revoked;

int64_t exo_cap_delete(exo_handle_t h)
{
    if (h == revoked && h)
        return -EXO_EBADHANDLE;
    own(h, 0, 0);
    slot_delete(EXO_HANDLE_INDEX(h));
    return 0;
}

static bool descends(uint32_t slot, uint32_t from)
{
    for (slot = slots[slot].parent; slot; slot = slots[slot].parent) {
        if (slot == from)
            return true;
    }
    return false;
}

int64_t exo_cap_revoke(exo_handle_t h)
{
    uint32_t slot = EXO_HANDLE_INDEX(h), n = 0;
    own(h, 0, EXO_R_REVOKE);
    for (uint32_t i = 1; i < top; i++) {
        if (!slots[i].obj || !descends(i, slot))
            continue;
        if (n++ == 64)
            return -EXO_EAGAIN;
        if (handle_of(i) == ((struct exo_ctx *)fake_ctx)->recv[0])
            revoked = handle_of(i);
        slot_delete(i);
    }
    return again() ? -EXO_EAGAIN : 0;
}

int64_t exo_cap_identify(exo_handle_t h, const volatile void *out)
{
    struct fake_cap *c = fake_cap(h, 0, 0, 0);
    if (!c)
        return -EXO_EBADHANDLE;
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    info.type = c->obj->type;
    info.rights = c->rights;
    info.object = c->obj->id;
    info.badge = c->badge;
    info.first_frame = c->obj->first;
    info.length = c->obj->type == EXO_CAP_BANK ? c->obj->limit : c->obj->count;
    info.used = c->obj->used;
    info.caps = c->obj->caps;
    info.wcaps = c->obj->wcaps;
    memcpy((void *)(uintptr_t)out, &info, sizeof(info));
    return 0;
}

int64_t exo_frames_alloc(exo_handle_t b, uint64_t count, uint64_t flags, uint64_t frame)
{
    struct fake_object *o = own(b, EXO_CAP_BANK, EXO_R_BUY)->obj;
    (void)flags, (void)frame;
    if (o->used + count > o->limit)
        return -EXO_ENOMEM;
    o = run_new(count);
    if (!o)
        return -EXO_ENOMEM;
    return (int64_t)slot_new(o, 0, EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC | EXO_R_REVOKE, 0, 0);
}

int64_t exo_segment_create(exo_handle_t b)
{
    struct fake_object *o = own(b, EXO_CAP_BANK, EXO_R_BUY)->obj;
    if (o->used + 2 > o->limit)
        return -EXO_ENOMEM;
    o->used += 2;
    o = object_new(EXO_CAP_SEGMENT);
    o->entry = calloc(512, sizeof(o->entry[0]));
    return (int64_t)slot_new(o, 0, EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC | EXO_R_REVOKE, 0, 0);
}

int64_t exo_segment_fill(exo_handle_t seg, uint64_t index, exo_handle_t frames, uint64_t first,
                         uint64_t count_rights)
{
    uint64_t count = (uint32_t)count_rights;
    uint32_t rights = (uint32_t)(count_rights >> 32);
    struct fake_object *s = own(seg, EXO_CAP_SEGMENT, EXO_R_REVOKE)->obj;
    struct fake_object *run = own(frames, EXO_CAP_FRAMES, rights)->obj;
    if (!count || index >= 512 || count > 512 - index || first >= run->count ||
        count > run->count - first)
        fail("the server filled a segment out of bounds");
    for (uint64_t i = 0; i < count; i++) {
        if (s->entry[index + i].run)
            fail("the server filled an entry twice");
        s->entry[index + i] = (struct fake_entry){run, run->first + first + i, rights, false};
        run->held++;
    }
    return 0;
}

int64_t exo_segment_clear(exo_handle_t seg, uint64_t index, uint64_t count)
{
    struct fake_object *s = own(seg, EXO_CAP_SEGMENT, EXO_R_REVOKE)->obj;
    if (!count || index >= 512 || count > 512 - index)
        fail("the server cleared a segment out of bounds");
    for (uint64_t i = index; i < index + count; i++) {
        struct fake_object *run = s->entry[i].run;
        if (run && again())
            return -EXO_EAGAIN;
        s->entry[i].run = NULL;
        if (run && --run->held == 0)
            object_put(run);
    }
    return 0;
}

int64_t exo_segment_harvest(exo_handle_t seg, uint64_t index, uint64_t count,
                            const volatile void *out)
{
    struct fake_object *s = own(seg, EXO_CAP_SEGMENT, EXO_R_REVOKE)->obj;
    uint64_t bits[8] = {0};
    if (count % 64 || index + count > 512)
        return -EXO_EINVAL;
    for (uint64_t i = 0; i < count; i++) {
        bits[i / 64] |= (uint64_t)(s->entry[index + i].run && s->entry[index + i].dirty) << i % 64;
        s->entry[index + i].dirty = false;
    }
    memcpy((void *)(uintptr_t)out, bits, count / 8);
    return 0;
}

static void map(struct fake_cap *c, uint64_t va, uint64_t first, uint64_t pages)
{
    if (c->window || first + pages > c->obj->count)
        fail("the server maps what it cannot");
    void *at = mmap((void *)va, pages * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                    memory_fd, (off_t)((c->obj->first + first) * 4096));
    if (at != (void *)va)
        fail("mmap");
    c->window = va;
    c->window_pages = pages;
}

int64_t exo_aspace_batch(exo_handle_t aspace, exo_handle_t b, const volatile void *in,
                         uint64_t count)
{
    const struct exo_map_op *op = (const void *)(uintptr_t)in;
    own(b, EXO_CAP_BANK, EXO_R_BUY);
    for (uint64_t i = 0; i < count; i++) {
        if (aspace || op[i].kind != EXO_OP_MAP || op[i].count > 512)
            fail("an operation the server has no use for");
        map(own(op[i].cap, EXO_CAP_FRAMES, op[i].rights), op[i].va, op[i].first, op[i].count);
    }
    return (int64_t)count;
}

void *exo_map(exo_handle_t cap, uint64_t first, uint64_t pages, uint32_t rights)
{
    void *at = (void *)window_next;
    map(own(cap, EXO_CAP_FRAMES, rights), window_next, first, pages);
    window_next += (pages + 511) / 512 * 512 * 4096;
    return at;
}

int64_t exo_bank_keep(exo_handle_t b, uint64_t bits)
{
    (void)bits;
    return fake_cap(b, 0, EXO_CAP_BANK, EXO_R_BIND) ? 0 : -EXO_EBADHANDLE;
}

// Nobody serves here: init has no more memory.
int64_t exo_call(exo_handle_t server, struct exo_msg *m)
{
    (void)server, (void)m;
    return -EXO_EDEAD;
}

int64_t exo_endpoint_create(exo_handle_t b)
{
    own(b, EXO_CAP_BANK, EXO_R_BUY);
    return (int64_t)slot_new(object_new(EXO_CAP_ENDPOINT), 0, EXO_R_ALL, 0, 0);
}

int64_t exo_wake(uint64_t va, uint64_t count)
{
    (void)va, (void)count;
    fake_wakes++;
    return 0;
}
