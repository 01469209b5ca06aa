// SPDX-License-Identifier: MIT
// The volume and the server's surroundings in host tests; see client.h.
#include "client.h"
#include <unistd.h>

static char *image;
static struct ext_dev *dev;
static uint32_t nblocks;
static unsigned own_caps;                   // of the server without clients
static const struct fake_object *published; // the only segment that is nobody's file

void check_failed(const char *file, int line, const char *what, long long got, long long want)
{
    fflush(stdout);
    fprintf(stderr, "%s:%d: failed: %s (got %lld, want %lld)\n", file, line, what, got, want);
    abort();
}

static char *temp_path(void)
{
    static char path[] = "/tmp/fsd-test-XXXXXX";
    int fd = path[14] == 'X' ? mkstemp(path) : -1;
    if (fd >= 0)
        close(fd);
    return path;
}

static void shell(const char *what, const char *path)
{
    char cmd[256];
    snprintf(cmd, sizeof(cmd),
             "PATH=$PATH:/usr/sbin:/sbin; { %s %s; } >%s.log 2>&1 || { cat %s.log; exit 1; }", what,
             path, path, path);
    int status = system(cmd);
    snprintf(cmd, sizeof(cmd), "%s.log", path);
    unlink(cmd);
    CHECK_EQ(status, 0);
}

static void make_image(uint32_t blocks)
{
    char what[128], *path = temp_path();
    snprintf(what, sizeof(what),
             "truncate -s %u %s && mke2fs -q -F -t ext2 -b 4096 -I 256 -N 4096 -m 0", blocks * 4096,
             path);
    shell(what, path);
    image = malloc(blocks * 4096ul);
    FILE *f = fopen(path, "rb");
    CHECK(f && fread(image, 4096, blocks, f) == blocks);
    fclose(f);
    unlink(path);
    static const char zero[4096];
    for (uint32_t b = 300; b < blocks; b++) { // behind the inode table: what is free is not zero
        if (!memcmp(image + b * 4096ul, zero, 4096))
            memset(image + b * 4096ul, 'J', 4096);
    }
}

void world_start(uint32_t blocks, uint32_t loaded, uint64_t bank_frames)
{
    static struct ext_mount_args args;
    make_image(blocks);
    nblocks = blocks;
    fake_start(bank_frames);
    exo_handle_t module = fake_module(image, loaded * 4096ul);
    OK(quota_init());
    OK(dev_init(module, loaded * 4096ul, &dev));
    clock_set();
    args.now = vol.now;
    args.mem_size = (size_t)ext_mount_size(dev) + (1u << 18);
    args.mem = aligned_alloc(16, (args.mem_size + 15) & ~15ul);
    OK(ext_mount(&vol, dev, &args));
    vol.watch = &names_watch;
    names_forget_all();
    OK(publish_init());
    for (published = fake_objects; published->type != EXO_CAP_SEGMENT;)
        published = published->next;
    OK(open_init());
    own_caps = fake_count(0);
}

void world_settle(void)
{
    exo_handle_t h;
    while ((h = fake_childless())) {
        clock_set();
        open_childless(h);
    }
    reap_step();
    locks_sweep();
}

void world_forget(void)
{
    while (reap_pending())
        reap_step();
    while (node_evict())
        ;
    while (reap_pending())
        reap_step();
}

// Each entry of each segment is a page of zeroes or the block that the file has there, within the
// file or what somebody has reserved; a segment that belongs to no node is empty.
static void check_part(struct node *n, const struct part *p, const struct fake_object *seg)
{
    struct ext_inode inode;
    uint64_t limit = n->page->size, first;
    struct reserve *v;
    exo_handle_t frames;
    OK(ext_inode_load(&vol, n->ino, &inode));
    CHECK_EQ(inode.size, n->page->size);
    LIST_FOREACH (v, &n->reserves, link) {
        if (!v->broken && v->end > limit)
            limit = v->end;
    }
    for (uint32_t i = 0; i < PART_PAGES; i++) {
        uint64_t page = p->index * PART_PAGES + i;
        uint32_t blk;
        bool zero = p->zero[i / 64] >> (i % 64) & 1;
        CHECK_EQ(seg->entry[i].run != NULL, p->present[i / 64] >> (i % 64) & 1);
        if (!seg->entry[i].run)
            continue;
        CHECK(page * PAGE < limit || !LIST_EMPTY(&n->reserves));
        OK(ext_map_get(&vol, &inode, page, &blk));
        CHECK_EQ(zero, blk == 0);
        CHECK(!zero || !(seg->entry[i].rights & EXO_R_WRITE));
        if (zero)
            continue;
        OK(dev_frame(blk, &frames, &first));
        CHECK_EQ(seg->entry[i].frame, fake_cap(frames, 0, EXO_CAP_FRAMES, 0)->obj->first + first);
    }
}

static bool find_part(const struct fake_object *seg)
{
    for (uint32_t ino = 1; ino <= vol.ninodes; ino++) {
        struct node *n = node_find(ino);
        if (!n)
            continue;
        for (struct part *p = n->parts.rbh_root;
             p;) { // an unbalanced walk is enough: look at every part
            struct part *stack[64], **at = stack;
            *at++ = p;
            while (at > stack) {
                struct part *q = *--at;
                if (q->link.rbe_left)
                    *at++ = q->link.rbe_left;
                if (q->link.rbe_right)
                    *at++ = q->link.rbe_right;
                if (fake_cap(q->seg, 0, 0, 0)->obj == seg) {
                    check_part(n, q, seg);
                    return true;
                }
            }
            break;
        }
    }
    return false;
}

void world_check(void)
{
    for (struct fake_object *o = fake_objects; o; o = o->next) {
        if (o->type != EXO_CAP_SEGMENT || o == published || find_part(o))
            continue;
        for (uint32_t i = 0; i < 512; i++)
            CHECK(!o->entry[i].run);
    }
}

void world_fsck(void)
{
    char *path = temp_path();
    world_settle();
    world_check();
    world_forget();
    unsigned left = fake_count(0), chunks = 0;
    for (struct fake_object *o = fake_objects; o; o = o->next)
        chunks +=
            o->type == EXO_CAP_FRAMES && (o->count == 16 || o->count == 1); // volume and zero page
    CHECK(left - own_caps <= chunks);
    OK(ext_unmount(&vol));
    FILE *f = fopen(path, "wb");
    for (uint32_t b = 0; f && b < nblocks; b++)
        CHECK_EQ(fwrite(dev->block(dev, b, false), 4096, 1, f), 1);
    CHECK(f && fclose(f) == 0);
    shell("e2fsck -fn", path);
    unlink(path);
}
