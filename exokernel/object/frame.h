// SPDX-License-Identifier: MIT
// The frame table and the buddy allocator: what only the memory objects see.
//
// There is one struct frame for each physical frame below the end of RAM, holes included, and
// beside it the exposed struct exo_frame that user code reads. A frame is in exactly one state, its
// exposed kind:
//
//     NONE, KERNEL   never handed out, in no list
//     FREE           part of a buddy block; the block's first frame has rank = order + 1 and is in
//     its list OBJECT         of a kernel object (owner); the object's first frame is in
//     bank->objects TABLE          a page table (rank = TABLE_RANK + level) of an address space, or
//     of a segment (owner);
//                    refs counts its entries in use, where is the address it maps; in bank->tables
//     ANON           bought straight into page tables, refs counts the entries; in bank->anon
//     RUN            of a FRAMES object (owner); refs counts window entries and segment entries
//
// buddy.c is pure: it knows the table and nothing of the machine, and is tested on the host.
// Locking: the kernel lock.
#ifndef KERNEL_FRAME_H
#define KERNEL_FRAME_H

#include <stdbool.h>
#include <sys/queue.h>
#include <exo/types.h>

struct bank;
struct kobj;

struct frame {
    LIST_ENTRY(frame) link;
    struct bank *bank;  // TABLE, ANON: who paid
    struct kobj *owner; // TABLE: NULL when address spaces share it copy-on-write
    uint32_t refs;
    // TABLE: va >> 21, of a shared one the number of directory entries that name it; RUN: writable
    // entries made through segments
    uint32_t where : 26;
    uint32_t rank : 4;
    // RUN: written through a segment window that is gone since; TABLE: more than anonymous pages
    // and tables may be in it
    uint32_t dirty : 1;
    uint32_t unzeroed : 1; // RUN: zeroed when first mapped
    uint64_t map;          // TABLE of an address space: bit i: entries 8i .. 8i + 7 may be in use
};
LIST_HEAD(frame_list, frame);

#define TABLE_RANK 11u // + level 1..4

#define BUDDY_ORDERS  11 // blocks of 1 .. 1024 frames
#define BUDDY_SINGLES 64
struct buddy {
    struct frame *table;
    uint64_t frames; // length of table
    uint64_t nfree;
    struct frame_list free[BUDDY_ORDERS];
    unsigned nsingles;
    exo_fn_t single[BUDDY_SINGLES]; // frames in no block
};
void buddy_init(struct buddy *b, struct frame *table, uint64_t frames);
// Gives `count` frames from `fn` back, merging with free neighbours.
void buddy_free(struct buddy *b, exo_fn_t fn, uint64_t count);
// Takes `count` contiguous frames, the first a multiple of `align` (a power of two up to 1024).
bool buddy_alloc(struct buddy *b, uint64_t count, uint64_t align, exo_fn_t *fn);
// Takes exactly these frames. False, and nothing done, unless all are free.
bool buddy_take(struct buddy *b, exo_fn_t fn, uint64_t count);
// NULL when the lists are sound, otherwise what is wrong.
const char *buddy_check(const struct buddy *b);

#endif
