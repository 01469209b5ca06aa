// SPDX-License-Identifier: MIT
//
// The bench the tests of the ext2 library stand on: an image made by mke2fs, a device in memory
// that can be told to fail, and e2fsck as the judge.
//
// Each block is an allocation of its own, freed when the library discards it and replaced when the
// library takes it fresh. So the address sanitizer sees every access beyond a block, and every use
// of an address the contract in ext.h says is gone.
#ifndef EXT_TEST_RIG_H
#define EXT_TEST_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../ext.h"

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            rig_fail(__FILE__, __LINE__, #cond, 0, 0);                                             \
    } while (0)

#define CHECK_EQ(got, want)                                                                        \
    do {                                                                                           \
        long long got_ = (long long)(got), want_ = (long long)(want);                              \
        if (got_ != want_)                                                                         \
            rig_fail(__FILE__, __LINE__, #got " == " #want, got_, want_);                          \
    } while (0)

#define OK(call) CHECK_EQ(call, 0)

struct rig {
    struct ext_dev dev;
    struct ext_vol vol;
    uint8_t **blocks;    // NULL: reads as zero
    uint8_t *touched;    // per block: given out for writing in this call
    const uint8_t *base; // fuzzing: the image blocks are copied from when first touched
    uint32_t limit;      // blocks that may exist at once
    uint32_t live;
    long fail_write; // fails the n-th block newly wanted for writing (or fresh); 0 never
    long fail_read;  // fails the n-th read
    bool failed;
    void *mem;
    size_t mem_size;
    char dir[64], image[96];
};

void rig_fail(const char *file, int line, const char *what, long long got, long long want)
    __attribute__((noreturn));
int rig_sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
// Runs a command and returns its output, which the caller frees.
char *rig_out(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void rig_init(struct rig *r); // makes a directory for the files of the test
void rig_done(struct rig *r);
// Makes an image of `blocks` blocks; `options` go to mke2fs. The source directory is r->dir/src if
// it exists. Does not load it.
void rig_mkfs(struct rig *r, uint32_t blocks, const char *options);
void rig_load(struct rig *r); // the image becomes the device
void rig_save(struct rig *r); // and back
void rig_dev_init(struct rig *r, uint32_t blocks);
void rig_dev_free(struct rig *r);
// Loads and mounts; `index` bytes of memory beyond the least.
void rig_mount(struct rig *r, size_t index);
int rig_mount_try(struct rig *r, size_t index, bool read_only);
void rig_call(struct rig *r); // a new call begins: no block is held for writing any more
// Unmounts, saves, runs e2fsck -fn, which must find nothing.
void rig_finish(struct rig *r);
void rig_fsck(struct rig *r); // the same while mounted; no orphans may exist
// A hash of everything that matters: allocated blocks and bitmaps.
uint64_t rig_digest(struct rig *r);

// Names under the root, for short tests.
uint32_t rig_create(struct rig *r, uint32_t dir, const char *name, uint32_t mode);
int rig_try_create(struct rig *r, uint32_t dir, const char *name, uint32_t mode);
int rig_lookup(struct rig *r, uint32_t dir, const char *name, uint32_t *ino);
// Unlinks and drops at once.
int rig_unlink(struct rig *r, uint32_t dir, const char *name);
int rig_rmdir(struct rig *r, uint32_t dir, const char *name);
int rig_rename(struct rig *r, uint32_t od, const char *on, uint32_t nd, const char *nn,
               uint32_t fl);

extern uint64_t rig_seed;
uint32_t rig_rand(uint32_t below);

#endif
