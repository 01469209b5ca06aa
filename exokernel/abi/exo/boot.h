// SPDX-License-Identifier: MIT
// What the kernel tells the first environment: one page, mapped read-only at EXO_BOOT_VA; rdi of
// its first context points to it. All authority of the system starts in these handles.
#ifndef EXO_BOOT_H
#define EXO_BOOT_H
#include <exo/types.h>

#define EXO_BOOT_VA           0x00007ffff0000000ull
#define EXO_BOOT_CTX_VA       0x00007ffff0010000ull // context block and message page of the first context
#define EXO_BOOT_STACK        0x00007ffff0100000ull // top of its first stack (64 KiB below it)
#define EXO_BOOT_UPCALL_STACK 0x00007ffff0200000ull // top of its upcall stack (16 KiB below it)
#define EXO_BOOT_MODULES      16

struct exo_boot_module {
    char name[32];   // first word of its command line, without directories
    char words[64];  // the rest
    uint64_t frames; // FRAMES handle (READ, EXEC, and WRITE)
    uint64_t bytes;
    uint64_t first_frame;
    uint64_t entry; // of a module with the word `load`: its ELF entry ...
    uint64_t phdr;  // ... the address of its program headers in memory, or 0
    uint32_t phnum, phent;
};

struct exo_boot_screen {
    uint32_t kind; // 0 none, 1 text (width x height cells), 2 linear RGB
    uint32_t width, height, pitch, bpp;
    uint8_t red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
    uint64_t address; // physical
    uint64_t frames;  // FRAMES handle of the device memory
};

struct exo_boot {
    uint32_t size, version;
    uint64_t bank, env, aspace, slice, irq, ioport, machine;
    uint64_t ctx_block; // FRAMES of the context block
    struct exo_boot_screen screen;
    uint32_t nmodules;
    uint32_t ndevices;
    struct exo_boot_module module[EXO_BOOT_MODULES];
    char cmdline[256];
    uint64_t device[64]; // DEVICE handles of the PCI functions found
};
_Static_assert(sizeof(struct exo_boot) <= EXO_PAGE_SIZE, "one page");
#endif
