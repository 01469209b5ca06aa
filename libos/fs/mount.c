// SPDX-License-Identifier: MIT
// See mount.h: which file system a name belongs to, and where a path goes on that leads out of one
// again.
//
// Resolution is by text: the only symbolic links to directories in these file systems are those
// that mount_fs.link knows, and what they lead to belongs to fsd.
#include <fs/mount.h>

static const struct mount_fs *const kinds[] = {
    [FS_MOUNT_PROC] = &proc_fs,
    [FS_MOUNT_PTS] = &pts_fs,
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const struct mount_fs *mount_fs(uint64_t kind)
{
    return kind < KINDS ? kinds[kind] : NULL;
}

const struct mount_fs *mount_of_dev(uint64_t dev)
{
    for (unsigned kind = 1; kind < KINDS; kind++)
        if (kinds[kind]->dev == dev)
            return kinds[kind];
    return NULL;
}

unsigned mount_kind(const struct file *file)
{
    for (unsigned kind = 1; file && LX_S_ISDIR(file->mode) && kind < KINDS; kind++) {
        if (file->ops == kinds[kind]->directory)
            return kind;
    }
    return 0;
}

bool mount_join(const struct file *directory, char *path, size_t room)
{
    const char *base = mount_name(directory);
    size_t b = strlen(base), n = strlen(path);
    if (b + 1 + n + 1 > room)
        return false;
    memmove(path + b + 1, path, n + 1);
    // NOLINTNEXTLINE(bugprone-not-null-terminated-result): the end follows
    memcpy(path, base, b);
    path[b] = '/';
    return true;
}

static const char *skip(const char *s)
{
    while (*s == '/' || (*s == '.' && (s[1] == '/' || !s[1])))
        s++;
    return s;
}

static size_t length(const char *s)
{
    size_t n = 0;
    while (s[n] && s[n] != '/')
        n++;
    return n;
}

// The resolved part must be a directory, if something follows it.
static int check_directory(const struct mount_fs *fs, const char *resolved)
{
    struct lx_stat st;
    int err = fs->stat(resolved, true, &st);
    return err < 0 ? err : LX_S_ISDIR(st.st_mode) ? 0 : -LX_ENOTDIR;
}

// The resolved part, path to end, is a link to a directory of fsd, and `rest` follows it.
static bool leave_by_link(const struct mount_fs *fs, char *path, char *end, const char *rest,
                          exo_handle_t *endpoint)
{
    char kept = *end;
    *end = 0;
    *endpoint = fs->link ? fs->link(path) : 0;
    *end = kept;
    if (!*endpoint)
        return false;
    memmove(path, rest, strlen(rest) + 1);
    return true;
}

static size_t parent(const char *path, size_t end)
{
    while (end && path[end - 1] != '/')
        end--;
    return end ? end - 1 : 0;
}

int mount_resolve(unsigned kind, char *path, exo_handle_t *endpoint)
{
    const struct mount_fs *fs = mount_fs(kind);
    if (!fs)
        return -LX_ENOENT;
    size_t end = 0; // of what is resolved
    const char *in = skip(path);
    for (size_t n; (n = length(in)) != 0; in = skip(in)) {
        if (n == 2 && in[0] == '.' && in[1] == '.') {
            in += 2;
            if (!end) { // to the directory that holds the mount point
                size_t up = parent(fs->at, strlen(fs->at));
                in = skip(in);
                if (up + 1 + strlen(in) + 1 > LX_PATH_MAX)
                    return -LX_ENAMETOOLONG;
                memmove(path + up + 1, in, strlen(in) + 1);
                memcpy(path, fs->at, up);
                path[up] = '/';
                *endpoint = fd_root();
                return 1;
            }
            path[end] = 0;
            int err = check_directory(fs, path);
            if (err < 0)
                return err;
            end = parent(path, end);
            continue;
        }
        if (end)
            path[end++] = '/';
        memmove(path + end, in, n);
        end += n;
        in += n;
        if (*skip(in) && leave_by_link(fs, path, path + end, skip(in), endpoint))
            return 1;
    }
    path[end] = 0;
    return 0;
}
