// SPDX-License-Identifier: MIT
// Clients of the file server in host tests: processes with credentials, and files as the libOS has
// them (libos/fs/file.c), whose bytes are read and written through the frames that the server's
// segments name.
#ifndef FSD_TEST_CLIENT_H
#define FSD_TEST_CLIENT_H

#include "../fsd.h"
#include "fake_exo.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            check_failed(__FILE__, __LINE__, #cond, 0, 0);                                         \
    } while (0)
#define CHECK_EQ(got, want)                                                                        \
    do {                                                                                           \
        long long got_ = (long long)(got), want_ = (long long)(want);                              \
        if (got_ != want_)                                                                         \
            check_failed(__FILE__, __LINE__, #got " == " #want, got_, want_);                      \
    } while (0)
#define OK(call) CHECK_EQ(call, 0)

void check_failed(const char *file, int line, const char *what, long long got, long long want)
    __attribute__((noreturn));

#define CLIENT_PARTS 8

struct client {
    uint64_t env;
    unsigned max_caps; // more do not fit its table
    uint64_t w[6];     // of the last reply
    uint8_t msg[EXO_MSG_SIZE];
    size_t bytes;
    exo_handle_t recv[EXO_MSG_CAPS];
};

struct file {
    struct client *c;
    exo_handle_t endpoint, node_cap, ring[2];
    const struct fs_node *node;
    uint32_t mode, access;
    uint64_t ino;
    struct {
        exo_handle_t seg;
        bool writable;
    } part[CLIENT_PARTS];
};

// The server on a fresh volume: of `blocks` blocks, the first `loaded` of which are in the boot
// module.
void world_start(uint32_t blocks, uint32_t loaded, uint64_t bank_frames);
void world_settle(void); // the notices the server would get before the next call
void world_check(void);  // what must hold between two calls
void world_fsck(void);   // every client gone: nothing leaks, and e2fsck finds nothing
void world_forget(void); // the node cache

void client_start(struct client *c, unsigned index, uint32_t uid, uint32_t gid);
void client_groups(struct client *c, const uint32_t *groups, uint32_t n);
void client_die(struct client *c);
void client_fork(struct client *parent, struct client *child, struct file *f, struct file *copy);

// One call: to an open file or, with 0, to the root. `second`: a capability to send along.
long call(struct client *c, exo_handle_t to, uint64_t op, const uint64_t args[5], const void *msg,
          size_t bytes, exo_handle_t second);
#define ARGS(...) ((const uint64_t[5]){__VA_ARGS__})
long path_op(struct client *c, uint64_t op, const char *path, uint64_t a, uint64_t b, uint64_t d);
long path_op_at(struct file *dir, uint64_t op, const char *path, uint64_t a, uint64_t b,
                uint64_t d);
long path2_op(struct client *c, uint64_t op, const char *old, const char *new, uint64_t flags);

long f_open(struct client *c, struct file *f, const char *path, uint64_t flags, uint32_t mode);
long f_open_at(struct file *dir, struct file *f, const char *path, uint64_t flags, uint32_t mode);
// Opens a directory as a root or, with one, under that root.
long f_chroot(struct client *c, struct file *f, const char *path, const struct file *root);
void f_close(struct file *f);
long f_op(struct file *f, uint64_t op, uint64_t a, uint64_t b, uint64_t d);
long f_pread(struct file *f, void *buf, size_t n, uint64_t offset);
long f_pwrite(struct file *f, const void *buf, size_t n, uint64_t offset);
long f_append(struct file *f, const void *buf, size_t n, uint64_t *at);
long f_transfer(struct file *f, void *buf, size_t n, uint64_t offset, bool write);
long f_message(struct file *f, const void *buf, size_t n, uint64_t offset);
struct lx_stat f_stat(struct file *f);
struct lx_stat p_stat(struct client *c, const char *path);
// The frame behind a page of the file, through the file's segment; NULL: it would fault. rights as
// the access needs.
uint8_t *f_page(struct file *f, uint64_t page, uint32_t rights);

#endif
