// SPDX-License-Identifier: MIT
//
// exec of a set-user-id or set-group-id program. It runs with rights that the caller does not have, so nothing the caller
// ever held may be under it: init makes a fresh environment, on a bank of its own, loads the trusted libOS, and gives
// it the pid. What passes over is data, checked there: path, arguments, environment, and the capabilities of descriptors.
#include <proc/exec.h>
#include <mem/mem.h>
#include <fs/file.h>

#define FDS_MAX 8

int file_hand_over(struct file *file, struct libos_start_fd *out, struct exo_send *send); // fs/fd.c

static long give_fd(struct libos_start *s, int fd)
{
    struct exo_ctx *ctx = ctx_self();
    struct libos_start_fd *out = &s->fds[s->nfds];
    struct file *file = file_get(fd);
    if (!file)
        return 0;
    int n = file_hand_over(file, out, ctx->send); // capabilities to send, or < 0: this kind cannot be
    long error = 0;
    if (n >= 0) {
        struct exo_msg m = {.meta = EXO_META(0, n), .w = {PROC_OP_SETID_GIVE, s->nfds}};
        out->fd = fd;
        error = server_call(H_INIT, &m);
        if (!error)
            s->nfds++;
    }
    file_put(file);
    return error;
}

static void fill(struct libos_start *s, size_t bytes, const char *path, const struct args *a)
{
    char *at = (char *)(s + 1);
    *s = (struct libos_start){.size = sizeof *s, .version = EXO_ABI_VERSION, .magic = LIBOS_START_MAGIC};
    s->mode = LIBOS_START_PATH;
    s->argc = a->argv.count;
    s->envc = a->envp.count;
    s->strings = sizeof *s;
    s->strings_size = (uint32_t)(bytes - sizeof *s);
    memcpy(at, path, strlen(path) + 1);
    at += strlen(path) + 1;
    memcpy(at, a->argv.text, a->argv.used);
    if (a->envp.used)
        memcpy(at + a->argv.used, a->envp.text, a->envp.used);
}

int setid_exec(const char *path, const struct args *a)
{
    size_t bytes = sizeof(struct libos_start) + strlen(path) + 1 + a->argv.used + a->envp.used;
    uint64_t pages = page_up(bytes) / PAGE;
    if (pages > 256)
        return -LX_E2BIG;
    int64_t frames = exo_frames_alloc(libos_bank, pages, 0, 0);
    if (frames < 0)
        return -LX_ENOMEM;
    void *view;
    long error = window_map((exo_handle_t)frames, 0, pages, EXO_R_READ | EXO_R_WRITE, &view);
    if (!error) {
        struct libos_start *s = view;
        fill(s, bytes, path, a);
        for (int fd = 0; fd < FDS_MAX && !error; fd++)
            error = give_fd(s, fd);
        window_unmap(view, pages);
    }
    if (!error) {
        ctx_self()->send[0] = (struct exo_send){(exo_handle_t)frames, EXO_R_READ, EXO_SEND_COPY};
        struct exo_msg m = {.meta = EXO_META(0, 1), .w = {PROC_OP_SETID_EXEC, bytes}};
        error = server_call(H_INIT, &m); // on success this environment is dead
    }
    exo_cap_delete((exo_handle_t)frames);
    return error < 0 ? (int)error : -LX_EAGAIN;
}
