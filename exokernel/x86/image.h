// SPDX-License-Identifier: MIT
// The kernel image as linked (x86/kernel.ld): parts with their rights, which the page tables repeat
// (W^X), and between them holes that stay unmapped, such as the guard page below the kernel stacks.
// A byte of the image at `va` is at physical address va - EXO_KERNEL_BASE.
#ifndef KERNEL_IMAGE_H
#define KERNEL_IMAGE_H

#include <stdint.h>
#include <exo/memlayout.h>

#define IMAGE_PARTS 4
struct image_part {
    uint64_t start, end; // virtual, page-aligned
    uint32_t rights;     // EXO_R_READ, EXO_R_WRITE, EXO_R_EXEC
};
extern const struct image_part image_parts[IMAGE_PARTS]; // core/main.c

static inline uint64_t image_phys(const void *va)
{
    return (uint64_t)va - EXO_KERNEL_BASE;
}

extern char image_start[], image_end[]; // all of it, holes included

#endif
