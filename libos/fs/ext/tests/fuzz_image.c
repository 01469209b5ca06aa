// SPDX-License-Identifier: MIT
//
// Hostile images: a good image is damaged in up to fifteen places the fuzzer chooses, mounted, read
// from end to end and worked on. Nothing may be accessed out of bounds or after its end (the bench
// frees each block the library discards), every call must return, and the metadata the library
// takes for fixed at mount must still be there at the end, whatever the inodes claimed to own.
//
// Input: the number of damages; for each a kind, a place (2+2 bytes) and a value (4 bytes); the
// rest drives the operations, a few bytes each.
#include "rig.h"

#define SEEN 80

static struct rig rig;
static struct ext_vol *vol = &rig.vol;
static uint8_t *base;
static uint32_t nblocks, table_blk, bitmap_blk, interesting[600], ninteresting;

struct input {
    const uint8_t *at;
    size_t len;
};

static uint32_t take(struct input *in, uint32_t bytes)
{
    uint32_t v = 0;
    for (; bytes && in->len; bytes--, in->len--)
        v = v << 8 | *in->at++;
    return v;
}

static void source_make(void)
{
    OK(rig_sh("mkdir -p %s/src/d/e/f %s/src/many && cd %s/src && "
              "for i in $(seq 50); do echo $i > many/some-name-that-is-long-$i; done && "
              "head -c 90000 /dev/zero | tr '\\0' A > middle && echo B > d/e/f/g && "
              "printf x | dd of=sparse bs=1 seek=5000000000 conv=notrunc status=none && "
              "printf x | dd of=sparse bs=1 seek=9000000 conv=notrunc status=none && "
              "ln -s d/e fast && ln -s $(head -c 100 /dev/zero | tr '\\0' q)/x slow && "
              "ln -s loop loop && ln middle d/hard && mkfifo fifo",
              rig.dir, rig.dir, rig.dir));
}

// Leaves two orphans on the list, so that their replay is fuzzed too.
static void orphans_make(void)
{
    uint32_t orphan;
    rig_mount(&rig, 0);
    for (int i = 0; i < 2; i++) {
        uint32_t ino = rig_create(&rig, EXT_ROOT_INO, "o", LX_S_IFREG | 0644);
        CHECK_EQ(ext_write(vol, NULL, ino, "x", 60000, 1), 1);
        OK(ext_unlink(vol, NULL, EXT_ROOT_INO, "o", 1, &orphan));
    }
    OK(ext_unmount(vol));
}

static void base_take(void)
{
    const struct ext_disk_group *gd = (struct ext_disk_group *)rig.blocks[1];
    nblocks = rig.dev.nblocks;
    table_blk = gd->bg_inode_table;
    bitmap_blk = gd->bg_block_bitmap;
    base = calloc(nblocks, EXT_BLOCK_SIZE);
    for (uint32_t i = 0; i < nblocks; i++) {
        if (!rig.blocks[i])
            continue;
        memcpy(base + (size_t)i * EXT_BLOCK_SIZE, rig.blocks[i], EXT_BLOCK_SIZE);
        if (rig.blocks[i][0] != 'A' && ninteresting < 600) // not the content of files
            interesting[ninteresting++] = i;
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    rig_init(&rig);
    source_make();
    rig_mkfs(&rig, 512, "-N 256 -g 256 -U 00000000-1111-2222-3333-444444444444");
    (void)rig_sh("e2fsck -fyD %s > /dev/null || [ $? -eq 1 ]", rig.image);
    orphans_make();
    base_take();
    OK(rig_sh("rm -rf %s", rig.dir));
    return 0;
}

static void damage_one(struct input *in)
{
    uint32_t kind = take(in, 1), place = take(in, 2), off = take(in, 2), value = take(in, 4);
    uint32_t blk = interesting[place % ninteresting], width = 1u << kind / 8 % 3;
    switch (kind % 8) {
    case 0:
        blk = 0;
        off = EXT_SUPER_OFFSET + off % 360;
        break;
    case 1:
        blk = 1;
        off %= 64;
        break;
    case 2:
        blk = bitmap_blk + place % 2;
        off %= 64;
        break;
    case 3:
    case 4: { // an inode in use
        uint32_t at = (place % 40 + (place % 40 > 1 ? 8 : 0)) * 256 + off % 160;
        blk = table_blk + at / EXT_BLOCK_SIZE;
        off = at;
        break;
    }
    default:
        break;
    }
    off = off % EXT_BLOCK_SIZE & ~(width - 1);
    if (kind & 128)
        value %= nblocks;
    rig_call(&rig);
    memcpy((uint8_t *)rig.dev.block(&rig.dev, blk, true) + off, &value, width);
}

struct tour {
    uint32_t dirs[SEEN], n;
    uint32_t inos[SEEN], m;
    char names[SEEN][256];
    uint32_t parents[SEEN];
};

static struct tour tour;
static uint32_t tour_dir;

static bool note(void *ctx, const struct ext_dirent *e)
{
    struct tour *t = ctx;
    if (t->m == SEEN)
        return false;
    memcpy(t->names[t->m], e->name, e->name_len);
    t->names[t->m][e->name_len] = 0;
    t->parents[t->m] = tour_dir;
    t->inos[t->m++] = e->ino;
    return true;
}

static void visit(uint32_t ino)
{
    static const uint64_t offs[] = {0, 48000, 80000, 9000000, 5000000000 - 100};
    static uint8_t buf[9000];
    struct ext_inode inode;
    struct lx_statx st;
    uint64_t cookie = 0;
    if (ext_inode_load(vol, ino, &inode))
        return;
    ext_statx_fill(&inode, 1, &st);
    for (uint32_t i = 0; i < sizeof(offs) / sizeof(offs[0]); i++)
        ext_read(vol, ino, buf, offs[i], sizeof(buf));
    ext_readlink(vol, ino, (char *)buf, sizeof(buf));
    for (uint32_t room = 24, known = EXT_ANY_COOKIE; room < 4096; room *= 3) {
        uint8_t *out = malloc(room); // its bounds are watched
        ext_dir_list(vol, ino, &cookie, &known, out, room);
        free(out);
    }
    cookie = 0;
    tour_dir = ino;
    if (ext_dir_iterate(vol, ino, &cookie, note, &tour) == 0 && tour.n < SEEN)
        tour.dirs[tour.n++] = ino;
}

static void read_all(void)
{
    tour.n = tour.m = 0;
    visit(EXT_ROOT_INO);
    for (uint32_t i = 0; i < tour.m; i++)
        if (strcmp(tour.names[i], ".") && strcmp(tour.names[i], ".."))
            visit(tour.inos[i]);
}

static uint32_t some_ino(struct input *in)
{
    uint32_t which = take(in, 1);
    return tour.m && which < 250 ? tour.inos[which % tour.m] : which - 250;
}

static uint32_t some_dir(struct input *in)
{
    uint32_t which = take(in, 1);
    return tour.n && which < 250 ? tour.dirs[which % tour.n] : some_ino(in);
}

static void drop(int err, uint32_t orphan)
{
    rig_call(&rig);
    if (!err && orphan)
        ext_inode_drop(vol, orphan);
}

static void name_op(struct input *in, uint32_t op)
{
    uint32_t k = take(in, 1) % SEEN, dir = take(in, 1) % 4 ? tour.parents[k] : some_dir(in);
    const char *name = k < tour.m ? tour.names[k] : "fresh", *to = "other";
    uint32_t len = (uint32_t)strlen(name), orphan = 0, ino;
    static const uint32_t modes[] = {LX_S_IFREG, LX_S_IFDIR, LX_S_IFLNK, LX_S_IFCHR};
    static const char target[200] = "d/e/f/../../";
    struct ext_create_args args = {.mode = modes[op / 16 % 4] | 0755, .target = target};
    args.target_len = op & 64 ? 12 : 12 + 100;
    int err;
    switch (op % 5) {
    case 0:
        ext_create(vol, NULL, dir, op & 128 ? name : "fresh", op & 128 ? len : 5, &args, &ino);
        break;
    case 1:
        ext_link(vol, NULL, some_ino(in), dir, "linked", 6);
        break;
    case 2:
        err = ext_unlink(vol, NULL, dir, name, len, &orphan);
        drop(err, orphan);
        break;
    case 3:
        err = ext_rmdir(vol, NULL, dir, name, len, &orphan);
        drop(err, orphan);
        break;
    default:
        if (op & 128 && tour.m)
            to = tour.names[take(in, 1) % tour.m];
        err = ext_rename(vol, NULL, dir, name, len, some_dir(in), to, (uint32_t)strlen(to),
                         op / 16 % 3, &orphan);
        drop(err, orphan);
    }
}

static bool crosses(void *ctx, uint32_t ino)
{
    (void)ctx;
    return ino == 1000;
}

static void file_op(struct input *in, uint32_t op)
{
    static const uint64_t offs[] = {0, 100, 40960, 49152, 4300000, 9000000, 4399000000};
    static const char *const paths[] = {"/fast/f/g",
                                        "slow",
                                        "loop/x",
                                        "/d/e/../../d/hard",
                                        "/many/some-name-that-is-long-27",
                                        "fresh/other/./..//"};
    static const uint8_t buf[5000] = "WWWW";
    static struct ext_walk out;
    struct ext_cred user = {1, 1, NULL, 0};
    struct ext_walk_env env = {op & 64 ? &user : NULL, EXT_ROOT_INO, EXT_ROOT_INO, crosses, NULL};
    uint32_t ino = some_ino(in);
    uint64_t off = offs[take(in, 1) % 7];
    struct ext_attr a = {.what = op, .mode = op, .uid = op, .gid = 5};
    const char *path = paths[off % 6];
    switch (op % 5) {
    case 0:
        ext_write(vol, NULL, ino, buf, off, op * 19);
        break;
    case 1:
        ext_truncate(vol, NULL, ino, off);
        break;
    case 2:
        ext_allocate(vol, &user, ino, off, op * 200 + 1);
        break;
    case 3:
        ext_walk(vol, &env, path, (uint32_t)strlen(path), op / 8 % 8, &out);
        break;
    default:
        ext_attr_set(vol, op & 64 ? &user : NULL, ino, &a);
    }
}

// What mount checked, in 64 bits.
static uint64_t fixed_part(void)
{
    const struct ext_disk_super *sb = (struct ext_disk_super *)(rig.blocks[0] + EXT_SUPER_OFFSET);
    uint64_t h = sb->s_magic * 31u + sb->s_blocks_count + ((uint64_t)sb->s_inodes_per_group << 32);
    const struct ext_disk_group *gd = (struct ext_disk_group *)rig.blocks[1];
    for (uint32_t g = 0; g < vol->ngroups && g < EXT_GROUPS_PER_BLOCK; g++)
        h = h * 1000003 + gd[g].bg_block_bitmap * 7u + gd[g].bg_inode_bitmap * 3u +
            gd[g].bg_inode_table;
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    rig_dev_init(&rig, nblocks);
    rig.base = base;
    for (uint32_t n = take(&in, 1) % 16; n && in.len; n--)
        damage_one(&in);
    uint32_t flags = take(&in, 1);
    if (rig_mount_try(&rig, flags & 1 ? 30000 : 0, flags & 2) == 0) {
        uint64_t before = fixed_part();
        read_all();
        while (in.len > 2) {
            uint32_t op = take(&in, 1);
            rig_call(&rig);
            if (take(&in, 1) & 1)
                name_op(&in, op);
            else
                file_op(&in, op);
        }
        rig_call(&rig);
        read_all();
        CHECK_EQ(fixed_part(), before);
        CHECK(!vol->txn_depth && !vol->log_len);
        ext_unmount(vol);
    }
    rig_dev_free(&rig);
    free(rig.mem);
    rig.mem = NULL;
    return 0;
}
