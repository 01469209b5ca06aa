// SPDX-License-Identifier: MIT
// Paths made of the fuzzer's bytes, walked over a volume with directories, links in circles and
// links that climb: the walk ends, stays below the root it was given, and what it says it found is
// what is there.
#include "rig.h"

static struct rig rig;
static uint32_t jail, outside;

static void link_make(uint32_t dir, const char *name, const char *target)
{
    static const struct ext_cred root = {0};
    struct ext_create_args args = {
        .mode = LX_S_IFLNK | 0777, .target = target, .target_len = (uint32_t)strlen(target)};
    uint32_t ino;
    rig_call(&rig);
    OK(ext_create(&rig.vol, &root, dir, name, (uint32_t)strlen(name), &args, &ino));
}

static void volume_make(void)
{
    uint32_t a, b;
    rig_init(&rig);
    rig_mkfs(&rig, 2048, "");
    rig_mount(&rig, 1 << 16);
    jail = rig_create(&rig, EXT_ROOT_INO, "a", 040755);
    outside = rig_create(&rig, EXT_ROOT_INO, "secret", 0100600);
    a = rig_create(&rig, jail, "b", 040755);
    b = rig_create(&rig, a, "c", 0100644);
    (void)b;
    link_make(jail, "l", "b");
    link_make(jail, "up", "../../secret");
    link_make(jail, "abs", "/secret");
    link_make(jail, "o", "o");
    link_make(jail, "p", "q/x");
    link_make(jail, "q", "p");
    link_make(a, "long", "../../../../../../../../../a/b/../b/./c");
}

static void spell(const uint8_t *data, size_t size, char *path, size_t room)
{
    static const char *const words[] = {"/",   "a", "b", "c", ".",    "..",     "l",  "up",
                                        "abs", "o", "p", "q", "long", "secret", "//", "x"};
    size_t at = 0;
    for (size_t i = 0; i < size && at + 8 < room; i++) {
        if (data[i] >= 224) {
            path[at++] = (char)(data[i] == 224 ? 'z' : data[i]);
            continue;
        }
        const char *word = words[data[i] % 16];
        at += (size_t)sprintf(path + at, "%s%s", word, data[i] & 16 ? "/" : "");
    }
    path[at] = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[4096];
    static struct ext_walk w;
    if (!rig.mem)
        volume_make();
    if (size < 2)
        return 0;
    struct ext_cred cred = {.uid = data[0] & 1 ? 0 : 1000, .gid = 1000};
    bool jailed = data[0] & 2;
    struct ext_walk_env env = {&cred, jailed ? jail : EXT_ROOT_INO, jailed ? jail : EXT_ROOT_INO,
                               NULL, NULL};
    uint32_t flags = (data[0] & 4 ? EXT_WALK_NOFOLLOW : 0) | (data[0] & 8 ? EXT_WALK_PARENT : 0);
    spell(data + 1, size - 1, path, sizeof(path));
    uint32_t n = (uint32_t)strlen(path);
    char *copy = malloc(n ? n : 1); // its bounds are watched
    memcpy(copy, path, n);
    rig_call(&rig);
    int err = n ? ext_walk(&rig.vol, &env, copy, n, flags, &w) : -1;
    if (err == 0 && w.ino) {
        struct ext_inode inode;
        OK(ext_inode_load(&rig.vol, w.ino, &inode));
        CHECK(inode.mode && inode.nlink);
        CHECK(!jailed || (w.ino != outside && w.ino != EXT_ROOT_INO));
    }
    free(copy);
    return 0;
}
