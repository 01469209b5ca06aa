// SPDX-License-Identifier: MIT
// What the boot loader told, copied out of its memory before that is used for anything else.
#ifndef KERNEL_BOOT_H
#define KERNEL_BOOT_H

#include <exo/boot.h>
#include <object/mem.h>

#define BOOT_RANGES 64

struct boot_module {
    paddr_t start, end;
    char words[96]; // its command line without the file's name
};

struct boot_info {
    struct mem_range ram[BOOT_RANGES];
    unsigned nram;
    struct boot_module module[EXO_BOOT_MODULES];
    unsigned nmodules;
    struct exo_boot_screen screen;
    char cmdline[256];
    paddr_t rsdp;       // ACPI's root pointer, 0 = unknown
    uint16_t acpi_pm1a; // I/O port of PM1a control, 0 = unknown
    uint8_t acpi_s5;    // sleep type of S5
    uint64_t entry_tsc;
};
extern struct boot_info boot_info;

static inline uint32_t get32(const void *p) // firmware aligns nothing
{
    return *(const uint32_t *)p;
}
static inline uint64_t get64(const void *p)
{
    return *(const uint64_t *)p;
}

// x86/multiboot.c; panics when it is neither kind.
void multiboot_parse(uint32_t magic, paddr_t info);
void acpi_parse(void);   // x86/acpi.c; before mem_init
void loader_start(void); // core/loader.c: makes the first environment
// The value of "name=value" or "name" (then "") among the words of a command line; NULL: not there.
const char *boot_word(const char *words, const char *name);

#endif
