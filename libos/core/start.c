// SPDX-License-Identifier: MIT
//
// The libOS's first instructions in a new environment.
//
// Two kinds of beginning. An environment built by init starts with struct libos_start: a server's
// image or the path of a program. The first environment starts with the kernel's boot page: the
// kernel has loaded its program (init) and this image already. In both, stacks are bought before
// anything else, since an upcall needs one; then everything moves from the builder's stack to the
// libOS's own, and the builder's pages are given back.
#include <core/core.h>
#include <exo/boot.h>
#include <proc/exec.h>
#include <proto/server.h>
#include <mem/mem.h>

exo_handle_t libos_bank = H_BANK, libos_machine;
struct exo_boot *libos_boot;

static void __attribute__((noreturn)) start_program(void *arg)
{
    const struct libos_start *start = arg;
    size_t bytes = (size_t)start->strings + start->strings_size;
    struct libos_start *copy = heap_alloc(bytes);
    if (!copy)
        libos_panic("no memory to start");
    memcpy(copy, start, bytes);
    if (copy->mode == LIBOS_START_FRAMES)
        libos_machine = copy->extra[SERVER_X_LOG];
    batch_range(EXO_OP_UNMAP, LIBOS_BOOT, BATCH_PAGES, 0, 0, 0);
    if (copy->secure)
        exec_inherit(&copy->kept);
    fd_init(copy);
    exec_start(copy);
}

static const struct exo_boot_module *boot_module(const struct exo_boot *boot, const char *name)
{
    for (uint32_t i = 0; i < boot->nmodules; i++)
        if (strcmp(boot->module[i].name, name) == 0)
            return &boot->module[i];
    return NULL;
}

// Where the program ends is not told: its break begins well above anything a static program has.
#define BOOT_BRK 0x0000100000000000ull

static void __attribute__((noreturn)) start_boot(void *arg)
{
    const struct exo_boot *boot = arg;
    const struct exo_boot_module *m = boot_module(boot, "init");
    struct args args = {0};
    uint64_t sp;
    if (!m || !m->entry)
        libos_panic("there is no module `init`; make the image again");
    fd_init(NULL);
    brk_set_start(BOOT_BRK);
    struct loaded l = {
        .entry = m->entry,
        .at_entry = m->entry,
        .at_phdr = m->phdr,
        .phnum = (uint16_t)m->phnum,
        .path = "init",
        .at_start = (uint64_t)boot,
    };
    int error = strings_add(&args.argv, "init", 4);
    if (!error)
        error = stack_build(&args, &l, &sp);
    if (error)
        libos_panic("cannot start init: error %d", -error);
    args_free(&args);
    struct exo_save regs;
    regs_start(&regs, l.entry, sp);
    sys_resume(&regs);
}

void libos_main(void *info)
{
    bool first = (uint64_t)info == EXO_BOOT_VA;
    if (first) {
        libos_boot = info;
        libos_bank = libos_boot->bank;
        libos_machine = libos_boot->machine;
    }
    if (stacks_buy())
        exo_env_exit(LX_SIGKILL);
    thread_init();
    mem_init();
    sig_init();
    if (first)
        libos_stack_call(info, start_boot, CALL_TOP - sizeof(struct sys_exit));
    if (((struct libos_start *)info)->magic != LIBOS_START_MAGIC)
        libos_panic("not started by init");
    libos_stack_call(info, start_program, CALL_TOP - sizeof(struct sys_exit));
}
