// SPDX-License-Identifier: MIT
//
// Boot order. Each step may use those before it: log, the boot loader's information, CPU features
// (which patch the still writable text), exceptions, memory (from here on W^X and the real direct
// map), time, and the first environment.

#include <string.h>
#include <core/boot.h>
#include <core/log.h>
#include <x86/cpu.h>
#include <x86/image.h>

extern char text_start[], text_end[], rodata_end[], data_end[], stack_start[], stack_end[];

const struct image_part image_parts[IMAGE_PARTS] = {
    {(uint64_t)text_start, (uint64_t)text_end, EXO_R_READ | EXO_R_EXEC},
    {(uint64_t)text_end, (uint64_t)rodata_end, EXO_R_READ},
    {(uint64_t)rodata_end, (uint64_t)data_end, EXO_R_READ | EXO_R_WRITE},
    {(uint64_t)stack_start, (uint64_t)stack_end, EXO_R_READ | EXO_R_WRITE},
};

static void memory_start(void)
{
    static struct mem_range reserved[1 + EXO_BOOT_MODULES];
    unsigned n = 0;

    reserved[n++] = (struct mem_range){0x100000, image_phys(image_end)};
    for (unsigned i = 0; i < boot_info.nmodules; i++)
        reserved[n++] = (struct mem_range){boot_info.module[i].start, boot_info.module[i].end};
    mem_init(boot_info.ram, boot_info.nram, reserved, n);
    info_page->cpus = CPU_MAX;
    info_page->features = cpu_features;
    info_page->boot_tsc = boot_info.entry_tsc;
}

// tick=random or tick=random:SEED
static void options(void)
{
    const char *tick = boot_word(boot_info.cmdline, "tick");
    uint64_t seed = 0;

    if (!tick || memcmp(tick, "random", 6) != 0)
        return;
    for (const char *p = tick + 7; tick[6] == ':' && *p >= '0' && *p <= '9'; p++)
        seed = seed * 10 + (uint64_t)(*p - '0');
    schedule_seed(seed ? seed : rdtsc());
}

_Noreturn void kmain(uint32_t magic, paddr_t info)
{
    boot_info.entry_tsc = rdtsc();
    multiboot_parse(magic, info);
    screen_open();
    log_printf("exoc: exokernel, one page at a time\n");
    cpu_early();
    cpu_init(0);
    acpi_parse();
    memory_start();
    clock_init();
    log_printf("memory: %lu MiB in %lu frames, %lu free\n", info_page->frames >> 8,
               info_page->frames, info_page->frames_free);
    options();
    klock_acquire();
    loader_start();
    trap_leave();
    klock_release();
    cpu_enter_user();
}
