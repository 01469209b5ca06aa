// SPDX-License-Identifier: MIT
//
// Implementation of the test bench; see rig.h.
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include "rig.h"

uint64_t rig_seed = 1;

uint32_t rig_rand(uint32_t below)
{
    rig_seed ^= rig_seed << 13;
    rig_seed ^= rig_seed >> 7;
    rig_seed ^= rig_seed << 17;
    return below ? (uint32_t)(rig_seed >> 16) % below : 0;
}

void rig_fail(const char *file, int line, const char *what, long long got, long long want)
{
    fflush(stdout);
    fprintf(stderr, "%s:%d: failed: %s (got %lld, want %lld)\n", file, line, what, got, want);
    abort();
}

static FILE *shell(const char *fmt, va_list ap)
{
    char cmd[2048], text[1800];
    vsnprintf(text, sizeof(text), fmt, ap);
    snprintf(cmd, sizeof(cmd), "PATH=$PATH:/usr/sbin:/sbin; exec 2>&1; %s", text);
    FILE *p = popen(cmd, "r");
    CHECK(p);
    return p;
}

static char *slurp(FILE *p)
{
    size_t n = 0, room = 4096;
    char *out = malloc(room);
    for (;;) {
        size_t got = fread(out + n, 1, room - n - 1, p);
        n += got;
        if (!got)
            break;
        if (room - n < 2)
            out = realloc(out, room *= 2);
    }
    out[n] = 0;
    return out;
}

int rig_sh(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    FILE *p = shell(fmt, ap);
    va_end(ap);
    char *out = slurp(p);
    int status = pclose(p);
    if (status)
        fprintf(stderr, "%s", out);
    free(out);
    return status;
}

char *rig_out(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    FILE *p = shell(fmt, ap);
    va_end(ap);
    char *out = slurp(p);
    pclose(p);
    return out;
}

static bool may_write(struct rig *r, uint32_t blk)
{
    if (r->touched[blk])
        return true;
    if (r->fail_write && --r->fail_write == 0) {
        r->failed = true;
        return false;
    }
    if (!r->blocks[blk] && r->live >= r->limit)
        return false;
    r->touched[blk] = 1;
    return true;
}

static uint8_t *materialize(struct rig *r, uint32_t blk)
{
    if (r->blocks[blk])
        return r->blocks[blk];
    r->blocks[blk] = calloc(1, EXT_BLOCK_SIZE);
    if (r->base)
        memcpy(r->blocks[blk], r->base + (size_t)blk * EXT_BLOCK_SIZE, EXT_BLOCK_SIZE);
    r->live++;
    return r->blocks[blk];
}

static void *dev_block(struct ext_dev *dev, uint32_t blk, bool will_write)
{
    struct rig *r = (struct rig *)dev;
    CHECK(blk < dev->nblocks);
    if (will_write)
        return may_write(r, blk) ? materialize(r, blk) : NULL;
    if (r->fail_read && --r->fail_read == 0) {
        r->failed = true;
        return NULL;
    }
    return materialize(r, blk);
}

static void dev_discard(struct ext_dev *dev, uint32_t blk)
{
    struct rig *r = (struct rig *)dev;
    CHECK(blk < dev->nblocks);
    r->live -= r->blocks[blk] != NULL;
    free(r->blocks[blk]);
    r->blocks[blk] = NULL;
    if (r->base) // what was discarded reads as junk, not as the old content
        memset(materialize(r, blk), 0xa5, EXT_BLOCK_SIZE);
}

static void *dev_fresh(struct ext_dev *dev, uint32_t blk)
{
    struct rig *r = (struct rig *)dev;
    CHECK(blk < dev->nblocks);
    if (!may_write(r, blk))
        return NULL;
    uint8_t *now = calloc(1, EXT_BLOCK_SIZE);
    r->live += r->blocks[blk] == NULL;
    free(r->blocks[blk]);
    return r->blocks[blk] = now;
}

void rig_call(struct rig *r)
{
    memset(r->touched, 0, r->dev.nblocks);
    r->failed = false;
}

void rig_init(struct rig *r)
{
    memset(r, 0, sizeof(*r));
    const char *tmp = getenv("TMPDIR");
    snprintf(r->dir, sizeof(r->dir), "%.40s/ext-test-XXXXXX", tmp ? tmp : "/tmp");
    CHECK(mkdtemp(r->dir));
    snprintf(r->image, sizeof(r->image), "%s/image", r->dir);
}

void rig_done(struct rig *r)
{
    rig_dev_free(r);
    free(r->mem);
    OK(rig_sh("rm -rf %s", r->dir));
}

void rig_mkfs(struct rig *r, uint32_t blocks, const char *options)
{
    char source[96], give[128] = "";
    snprintf(source, sizeof(source), "%s/src", r->dir);
    if (!access(source, F_OK))
        snprintf(give, sizeof(give), "-d %s", source);
    OK(rig_sh("rm -f %s; mke2fs -q -F -t ext2 -b 4096 %s %s %s %u", r->image, options, give,
              r->image, blocks));
}

void rig_dev_init(struct rig *r, uint32_t blocks)
{
    rig_dev_free(r);
    r->dev = (struct ext_dev){.block = dev_block,
                              .fresh = dev_fresh,
                              .discard = dev_discard,
                              .nblocks = blocks,
                              .block_size = EXT_BLOCK_SIZE};
    r->blocks = calloc(blocks, sizeof(*r->blocks));
    r->touched = calloc(blocks, 1);
    r->limit = UINT32_MAX;
    r->live = 0;
}

void rig_dev_free(struct rig *r)
{
    for (uint32_t i = 0; r->blocks && i < r->dev.nblocks; i++)
        free(r->blocks[i]);
    free(r->blocks);
    free(r->touched);
    r->blocks = NULL;
    r->touched = NULL;
}

void rig_load(struct rig *r)
{
    struct stat st;
    int fd = open(r->image, O_RDONLY);
    CHECK(fd >= 0);
    OK(fstat(fd, &st));
    rig_dev_init(r, (uint32_t)(st.st_size / EXT_BLOCK_SIZE));
    for (uint32_t i = 0; i < r->dev.nblocks; i++) {
        uint8_t buf[EXT_BLOCK_SIZE];
        static const uint8_t zero[EXT_BLOCK_SIZE];
        CHECK_EQ(pread(fd, buf, sizeof(buf), (off_t)i * EXT_BLOCK_SIZE), sizeof(buf));
        if (memcmp(buf, zero, sizeof(buf)))
            memcpy(materialize(r, i), buf, sizeof(buf));
    }
    close(fd);
}

void rig_save(struct rig *r)
{
    int fd = open(r->image, O_RDWR | O_TRUNC);
    CHECK(fd >= 0);
    OK(ftruncate(fd, (off_t)r->dev.nblocks * EXT_BLOCK_SIZE));
    for (uint32_t i = 0; i < r->dev.nblocks; i++)
        if (r->blocks[i])
            CHECK_EQ(pwrite(fd, r->blocks[i], EXT_BLOCK_SIZE, (off_t)i * EXT_BLOCK_SIZE),
                     EXT_BLOCK_SIZE);
    close(fd);
}

int rig_mount_try(struct rig *r, size_t index, bool read_only)
{
    int64_t least = ext_mount_size(&r->dev);
    free(r->mem);
    r->mem_size = (least > 0 ? (size_t)least : 65536) + index;
    r->mem = aligned_alloc(16, (r->mem_size + 15) / 16 * 16);
    struct ext_mount_args args = {r->mem, r->mem_size, {1700000000, 5}, read_only};
    rig_call(r);
    return ext_mount(&r->vol, &r->dev, &args);
}

void rig_mount(struct rig *r, size_t index)
{
    rig_load(r);
    int err = rig_mount_try(r, index, false);
    if (err)
        fprintf(stderr, "mount: %s\n", r->vol.why);
    OK(err);
    CHECK(!r->vol.read_only);
}

static void fsck_image(struct rig *r)
{
    rig_save(r);
    OK(rig_sh("e2fsck -fn %s", r->image));
}

void rig_finish(struct rig *r)
{
    rig_call(r);
    OK(ext_unmount(&r->vol));
    fsck_image(r);
}

void rig_fsck(struct rig *r)
{
    rig_call(r);
    OK(ext_sync(&r->vol, true));
    fsck_image(r);
    OK(ext_sync(&r->vol, false));
}

static uint64_t mix(uint64_t h, const uint8_t *p)
{
    for (uint32_t i = 0; i < EXT_BLOCK_SIZE; i += 8) {
        uint64_t w = 0;
        if (p)
            memcpy(&w, p + i, 8);
        h = (h ^ w) * 0xff51afd7ed558ccdu;
        h ^= h >> 29;
    }
    return h;
}

uint64_t rig_digest(struct rig *r)
{
    uint64_t h = 1;
    const struct ext_disk_group *gd = (struct ext_disk_group *)r->blocks[1];
    for (uint32_t i = 0; i < r->vol.nblocks; i++) {
        uint32_t group = i / r->vol.blocks_per_group, bit = i % r->vol.blocks_per_group;
        const uint8_t *map = r->blocks[gd[group].bg_block_bitmap];
        if (map && (map[bit / 8] >> bit % 8 & 1))
            h = mix(h + i, r->blocks[i]);
    }
    return h;
}

int rig_try_create(struct rig *r, uint32_t dir, const char *name, uint32_t mode)
{
    uint32_t ino;
    struct ext_create_args args = {.mode = mode};
    rig_call(r);
    return ext_create(&r->vol, NULL, dir, name, (uint32_t)strlen(name), &args, &ino);
}

uint32_t rig_create(struct rig *r, uint32_t dir, const char *name, uint32_t mode)
{
    uint32_t ino;
    OK(rig_try_create(r, dir, name, mode));
    OK(rig_lookup(r, dir, name, &ino));
    return ino;
}

int rig_lookup(struct rig *r, uint32_t dir, const char *name, uint32_t *ino)
{
    rig_call(r);
    return ext_lookup(&r->vol, dir, name, (uint32_t)strlen(name), ino);
}

static int drop(struct rig *r, int err, uint32_t orphan)
{
    rig_call(r);
    return err || !orphan ? err : ext_inode_drop(&r->vol, orphan);
}

int rig_unlink(struct rig *r, uint32_t dir, const char *name)
{
    uint32_t orphan;
    rig_call(r);
    int err = ext_unlink(&r->vol, NULL, dir, name, (uint32_t)strlen(name), &orphan);
    return drop(r, err, orphan);
}

int rig_rmdir(struct rig *r, uint32_t dir, const char *name)
{
    uint32_t orphan;
    rig_call(r);
    int err = ext_rmdir(&r->vol, NULL, dir, name, (uint32_t)strlen(name), &orphan);
    return drop(r, err, orphan);
}

int rig_rename(struct rig *r, uint32_t od, const char *on, uint32_t nd, const char *nn, uint32_t fl)
{
    uint32_t orphan;
    rig_call(r);
    int err = ext_rename(&r->vol, NULL, od, on, (uint32_t)strlen(on), nd, nn, (uint32_t)strlen(nn),
                         fl, &orphan);
    return drop(r, err, orphan);
}
