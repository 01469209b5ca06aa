// SPDX-License-Identifier: MIT
//
// The first environment: an address space with the modules marked `load` as static ELF programs, a
// context with its stacks, the boot page, and every capability there is (contract: abi/exo/boot.h).
// Whatever fails here fails for good, so errors are panics; module contents are input, so every
// offset is checked.

#include <string.h>
#include <core/boot.h>
#include <core/log.h>
#include <object/aspace.h>
#include <x86/cpu.h>

#define STACK_PAGES        16
#define UPCALL_STACK_PAGES 4

struct elf {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct segment_header {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
#define PT_LOAD 1
#define PF_X    1u
#define PF_W    2u

static struct env *env;
static struct aspace *as;
static struct exo_boot *boot;

uint32_t device_bdf(const struct kobj *obj);

static void must(int64_t err, const char *what)
{
    if (err < 0)
        panic("first environment: %s: error %ld", what, -err);
}

static exo_handle_t give(int err, struct kobj *obj, uint32_t rights, const char *what)
{
    int64_t handle;

    must(err, what);
    handle = cap_name_new(env, obj, rights, obj->type == EXO_CAP_DEVICE ? device_bdf(obj) : 0);
    must(handle, what);
    return (exo_handle_t)handle;
}

// Writes into the new address space through the kernel's mapping.
static void user_write(uint64_t va, const uint8_t *from, uint64_t bytes)
{
    uint32_t rights;

    while (bytes) {
        uint64_t part = EXO_PAGE_SIZE - va % EXO_PAGE_SIZE;
        paddr_t pa = aspace_translate(as, va, &rights);

        kassert(pa);
        if (part > bytes)
            part = bytes;
        memcpy(phys_to_virt(pa), from, part);
        va += part;
        from += part;
        bytes -= part;
    }
}

static void map_zeroed(uint64_t va, uint64_t pages, uint32_t rights, const char *what)
{
    for (struct exo_map_op op = {.kind = EXO_OP_BUY, .rights = rights}; pages; pages -= op.count) {
        op.va = va;
        op.count = pages < 512 ? (uint32_t)pages : 512;
        must(batch_op(as, bank_root(), &op), what);
        va += (uint64_t)op.count << EXO_PAGE_SHIFT;
    }
}

static void load_segment(const struct boot_module *module, const struct segment_header *ph)
{
    uint64_t size = module->end - module->start, start = ph->vaddr & ~(EXO_PAGE_SIZE - 1);
    uint64_t pages = (ph->vaddr + ph->memsz - start + EXO_PAGE_SIZE - 1) >> EXO_PAGE_SHIFT;
    uint32_t rights = EXO_R_READ;

    if (ph->offset > size || ph->filesz > size - ph->offset || ph->filesz > ph->memsz ||
        ph->vaddr < EXO_USER_BASE || ph->vaddr >= EXO_USER_END ||
        ph->memsz > EXO_USER_END - ph->vaddr)
        panic("module %s: bad segment; make the image again", module->words);
    if (ph->memsz == 0)
        return;
    if (ph->flags & PF_W)
        rights |= EXO_R_WRITE;
    else if (ph->flags & PF_X)
        rights |= EXO_R_EXEC;
    map_zeroed(start, pages, rights, module->words);
    user_write(ph->vaddr, (uint8_t *)phys_to_virt(module->start) + ph->offset, ph->filesz);
}

static void load_module(const struct boot_module *module, struct exo_boot_module *out)
{
    const uint8_t *file = phys_to_virt(module->start);
    uint64_t size = module->end - module->start;
    struct elf elf;
    struct segment_header ph;

    memcpy(&elf, file, size < sizeof(elf) ? size : sizeof(elf));
    if (size < sizeof(elf) || memcmp(elf.ident, "\177ELF\2\1", 6) != 0 || elf.type != 2 ||
        elf.machine != 62 || elf.phentsize != sizeof(ph) || elf.phoff > size ||
        elf.phnum > (size - elf.phoff) / sizeof(ph))
        panic("module %s is no static x86-64 ELF program; make the image again", module->words);
    for (unsigned i = 0; i < elf.phnum; i++) {
        memcpy(&ph, file + elf.phoff + i * sizeof(ph), sizeof(ph));
        if (ph.type != PT_LOAD)
            continue;
        load_segment(module, &ph);
        if (elf.phoff >= ph.offset && elf.phoff < ph.offset + ph.filesz)
            out->phdr = ph.vaddr + elf.phoff - ph.offset;
    }
    out->entry = elf.entry;
    out->phnum = elf.phnum;
    out->phent = elf.phentsize;
}

// "dir/name words" into name and words.
static void split_words(const char *words, struct exo_boot_module *out)
{
    const char *name = words, *p;
    size_t n = 0;

    for (p = words; *p && *p != ' '; p++)
        if (*p == '/')
            name = p + 1;
    for (; name < p && n + 1 < sizeof(out->name); n++)
        out->name[n] = *name++;
    while (*p == ' ')
        p++;
    for (n = 0; p[n] && n + 1 < sizeof(out->words); n++)
        out->words[n] = p[n];
}

// Returns the entry of the first module that is loaded.
static uint64_t give_modules(void)
{
    uint64_t entry = 0;

    for (unsigned i = 0; i < boot_info.nmodules; i++) {
        const struct boot_module *module = &boot_info.module[i];
        struct exo_boot_module *out = &boot->module[i];
        uint64_t bytes = module->end - module->start;
        uint64_t pages = (bytes + EXO_PAGE_SIZE - 1) >> EXO_PAGE_SHIFT;
        struct kobj *frames;
        int err;

        split_words(module->words, out);
        out->bytes = bytes;
        out->first_frame = module->start >> EXO_PAGE_SHIFT;
        memset((uint8_t *)phys_to_virt(module->start) + bytes, 0, pages * EXO_PAGE_SIZE - bytes);
        if (boot_word(out->words, "load")) {
            load_module(module, out);
            entry = entry ? entry : out->entry;
        }
        if (pages == 0)
            continue;
        err = frames_adopt(bank_root(), out->first_frame, pages, &frames);
        out->frames =
            give(err, frames, EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC | EXO_R_REVOKE, out->name);
    }
    boot->nmodules = boot_info.nmodules;
    if (!entry)
        panic("no module has the word `load`: nothing to start; make the image again");
    return entry;
}

static void give_screen(void)
{
    struct exo_boot_screen *screen = &boot->screen;
    uint64_t first, last;
    struct kobj *frames;
    int err;

    *screen = boot_info.screen;
    if (screen->kind == 0)
        return;
    first = screen->address >> EXO_PAGE_SHIFT;
    last = (screen->address + (uint64_t)screen->pitch * screen->height - 1) >> EXO_PAGE_SHIFT;
    err = frames_adopt(bank_root(), first, last - first + 1, &frames);
    screen->frames = give(err, frames, EXO_R_READ | EXO_R_WRITE | EXO_R_REVOKE, "screen");
    screen_frames = frames;
    kobj_get(frames);
}

static void give_devices(void)
{
    struct kobj *found[sizeof(boot->device) / sizeof(boot->device[0])];

    boot->ndevices = device_scan(bank_root(), found, sizeof(found) / sizeof(found[0]));
    for (unsigned i = 0; i < boot->ndevices; i++)
        boot->device[i] =
            give(0, found[i], EXO_R_READ | EXO_R_WRITE | EXO_R_REVOKE | EXO_R_CONTROL, "device");
}

// An object without a state of its own.
static exo_handle_t give_plain(enum exo_cap_type type)
{
    struct kobj *obj = NULL;
    int err = kobj_alloc(bank_root(), type, sizeof(*obj), &obj);

    return give(err, obj, EXO_R_ALL, "object");
}

static void give_all(struct slice *slice)
{
    boot->size = sizeof(*boot);
    boot->version = EXO_ABI_VERSION;
    boot->bank = give(0, (struct kobj *)bank_root(), EXO_R_ALL, "bank");
    boot->env = give(0, &env->obj, EXO_R_ALL, "env");
    boot->aspace = give(0, (struct kobj *)as, EXO_R_ALL, "aspace");
    boot->slice = give(0, (struct kobj *)slice, EXO_R_ALL, "slice");
    boot->irq = give_plain(EXO_CAP_IRQ);
    boot->ioport = give_plain(EXO_CAP_IOPORT);
    boot->machine = give_plain(EXO_CAP_MACHINE);
    give_screen();
    give_devices();
    memcpy(boot->cmdline, boot_info.cmdline, sizeof(boot->cmdline));
}

static void start_context(struct slice *slice, uint64_t entry)
{
    struct kobj *frames;
    struct ctx *ctx;
    int err = frames_buy(bank_root(), 2, 0, 0, &frames);

    boot->ctx_block = give(err, frames, EXO_R_READ | EXO_R_WRITE | EXO_R_REVOKE, "context block");
    must(ctx_new(env, bank_root(), frames, EXO_BOOT_CTX_VA, &ctx), "context");
    map_zeroed(EXO_BOOT_STACK - STACK_PAGES * EXO_PAGE_SIZE, STACK_PAGES, EXO_R_READ | EXO_R_WRITE,
               "stack");
    map_zeroed(EXO_BOOT_UPCALL_STACK - UPCALL_STACK_PAGES * EXO_PAGE_SIZE, UPCALL_STACK_PAGES,
               EXO_R_READ | EXO_R_WRITE, "upcall stack");
    ctx->block->upcall_stack_top = EXO_BOOT_UPCALL_STACK;
    ctx->block->upcall_stack_size = UPCALL_STACK_PAGES * EXO_PAGE_SIZE;
    ctx->regs.rip = entry;
    ctx->regs.rsp = EXO_BOOT_STACK - 8; // as after a call
    ctx->regs.rdi = EXO_BOOT_VA;
    must(ctx_bind(ctx, slice), "bind");
    env_started(env);
}

void loader_start(void)
{
    struct slice *slice;
    uint32_t rights;
    uint64_t entry;

    must(aspace_new(bank_root(), &as), "address space");
    must(env_new(bank_root(), as, NULL, 0, &env), "environment");
    env->first = true;
    must(slice_root(bank_root(), &slice), "slice");
    map_zeroed(EXO_BOOT_VA, 1, EXO_R_READ, "boot page");
    boot = phys_to_virt(aspace_translate(as, EXO_BOOT_VA, &rights));
    give_all(slice);
    entry = give_modules();
    start_context(slice, entry);
    log_printf("first environment: %u modules, %u devices\n", boot->nmodules, boot->ndevices);
}
