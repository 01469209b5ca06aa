// SPDX-License-Identifier: MIT
//
// exec of a set-user-id or set-group-id program. It runs with rights that the caller does not have,
// so nothing the caller ever held may be under it: init makes a fresh environment, on a bank of its
// own, loads the trusted libOS, and gives it the pid. What passes over is data, checked there:
// path, arguments, environment, and the capabilities of descriptors.
#include <proc/exec.h>
#include <mem/mem.h>
#include <fs/file.h>
#include <fs/handover.h>

// The kernel sends no empty places: the rest moves up. Returns which there were.
static uint64_t compact(struct exo_send *send, int n, unsigned *count)
{
    uint64_t places = 0;
    *count = 0;
    for (int i = 0; i < n; i++) {
        if (!send[i].handle)
            continue;
        places |= 1u << i;
        send[(*count)++] = send[i];
    }
    return places;
}

static long give(struct libos_start *s, int fd, struct file *file)
{
    struct exo_ctx *ctx = ctx_self();
    struct libos_start_fd *out = (struct libos_start_fd *)((char *)s + s->fds) + s->nfds;
    unsigned count;
    int n = file_hand_over(file, out, ctx->send); // places, or < 0: this kind cannot be
    if (n < 0)
        return 0;
    uint64_t places = compact(ctx->send, n, &count);
    struct exo_msg m = {.meta = EXO_META(0, count), .w = {PROC_OP_SETID_GIVE, s->nfds, places}};
    out->fd = fd;
    long error = server_call(H_INIT, &m);
    if (!error)
        s->nfds++;
    return error;
}

// The working directory and the descriptors that stay open.
static long give_files(struct libos_start *s)
{
    const struct fd_table *t = fd_current();
    long error = t->cwd ? give(s, LX_AT_FDCWD, t->cwd) : 0;
    for (uint32_t fd = 0; fd < t->size && !error; fd++)
        if (t->entry[fd].file && !t->entry[fd].cloexec)
            error = give(s, (int)fd, t->entry[fd].file);
    return error;
}

static uint32_t count_files(void)
{
    const struct fd_table *t = fd_current();
    uint32_t n = t->cwd != NULL;
    for (uint32_t fd = 0; fd < t->size; fd++)
        n += t->entry[fd].file && !t->entry[fd].cloexec;
    return n;
}

static void fill(struct libos_start *s, uint32_t files, size_t bytes, const char *path,
                 const struct args *a)
{
    *s = (struct libos_start){
        .size = sizeof *s, .version = EXO_ABI_VERSION, .magic = LIBOS_START_MAGIC};
    s->mode = LIBOS_START_PATH;
    s->argc = a->argv.count;
    s->envc = a->envp.count;
    s->fds = sizeof *s;
    s->strings = (uint32_t)(s->fds + files * sizeof(struct libos_start_fd));
    s->strings_size = (uint32_t)(bytes - s->strings);
    exec_keep(&s->kept);
    char *at = (char *)s + s->strings;
    memcpy(at, path, strlen(path) + 1);
    at += strlen(path) + 1;
    memcpy(at, a->argv.text, a->argv.used);
    if (a->envp.used)
        memcpy(at + a->argv.used, a->envp.text, a->envp.used);
}

int setid_exec(const char *path, const struct args *a)
{
    uint32_t files = count_files();
    size_t bytes = sizeof(struct libos_start) + files * sizeof(struct libos_start_fd) +
                   strlen(path) + 1 + a->argv.used + a->envp.used;
    uint64_t pages = page_up(bytes) / PAGE;
    if (pages > 256 || files > LIBOS_START_FDS_MAX)
        return -LX_E2BIG;
    int64_t frames = exo_frames_alloc(libos_bank, pages, 0, 0);
    if (frames < 0)
        return -LX_ENOMEM;
    void *view;
    long error = window_map((exo_handle_t)frames, 0, pages, EXO_R_READ | EXO_R_WRITE, &view);
    if (!error) {
        struct libos_start *s = view;
        fill(s, files, bytes, path, a);
        error = give_files(s);
        struct exo_msg m = {.w = {PROC_OP_SETID_EXEC, bytes, (uint64_t)view}};
        if (!error)
            error = server_call(H_INIT, &m); // on success this environment is dead
        window_unmap(view, pages);
    }
    exo_cap_delete((exo_handle_t)frames);
    return error < 0 ? (int)error : -LX_EAGAIN;
}
