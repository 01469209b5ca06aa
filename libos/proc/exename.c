// SPDX-License-Identifier: MIT
//
// The name of the program that runs, for /proc/self/exe.
//
// What exec was given may be relative, and may be /proc/self/exe itself. So exec asks for a name
// that stays true: absolute, and through no link of /proc. Symbolic links in it are followed when
// somebody reads the link, not at each exec.
#include <proc/exename.h>
#include <fs/mount.h>
#include <fs/text.h>

#define LINKS 40 // in one path, as path_resolution(7)

static char exe_name[LX_PATH_MAX]; // "" before the first exec

const char *exe_path(void)
{
    return exe_name;
}

void exe_set(const char *name)
{
    size_t n = strlen(name);
    memcpy(exe_name, name, n < sizeof exe_name ? n + 1 : 0);
}

static char *copy_of(const struct text *t)
{
    char *name = t->length < LX_PATH_MAX ? heap_alloc(t->length + 1) : NULL;
    if (name) {
        memcpy(name, t->at, t->length);
        name[t->length] = 0;
    }
    return name;
}

// What GETCWD answers, or a mount's name.
static long put_start(struct text *t, const struct file *directory)
{
    long err = directory_name(t, directory);
    if (err >= 0 && t->length > 1)
        text_put(t, "/");
    return err;
}

char *exe_name_of(const char *path, const struct file *file)
{
    char buffer[LX_PATH_MAX];
    struct text t = {.at = buffer, .room = sizeof buffer};
    if (file->by_exe)
        text_put(&t, exe_name);
    else if (path[0] != '/' && put_start(&t, fd_current()->cwd) < 0)
        t.length = 0; // the working directory is gone
    if (!file->by_exe)
        text_put(&t, path);
    return copy_of(&t);
}

// The directory part of `path` without links, with a slash at its end.
static long put_parent(struct text *t, const char *path, size_t n)
{
    char directory[LX_PATH_MAX];
    long err;
    memcpy(directory, path, n);
    directory[n] = 0;
    struct file *file = file_open_path(0, directory, LX_O_PATH | LX_O_DIRECTORY, &err);
    if (!file)
        return err;
    err = put_start(t, file);
    file_put(file);
    return err;
}

long exe_readlink(char *target, size_t max)
{
    char *path = heap_alloc(LX_PATH_MAX), *link = heap_alloc(LX_PATH_MAX);
    long n = path && link ? (long)strlen(exe_name) : -LX_ENOMEM;
    if (n > 0)
        memcpy(path, exe_name, (size_t)n + 1);
    for (int links = 0; n > 0 && links < LINKS; links++) {
        struct text t = {.at = target, .room = max - 1};
        size_t slash = (size_t)n;
        while (slash && path[slash - 1] != '/')
            slash--;
        if (!slash || put_parent(&t, path, slash) < 0 || t.length >= t.room)
            break; // it is gone: the name as it was
        size_t parent = t.length;
        text_put(&t, path + slash);
        if (t.length >= t.room)
            break;
        memcpy(path, target, t.length);
        path[n = (long)t.length] = 0;
        long next = path_readlink(path, link, LX_PATH_MAX);
        size_t keep = next > 0 && link[0] != '/' ? parent : 0;
        if (next <= 0 || keep + (size_t)next >= LX_PATH_MAX)
            break;
        memcpy(path + keep, link, (size_t)next);
        path[n = (long)keep + next] = 0;
    }
    if (n > 0)
        memcpy(target, path, (size_t)n < max ? (size_t)n : max);
    heap_free(path);
    heap_free(link);
    return n;
}
