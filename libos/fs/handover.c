// SPDX-License-Identifier: MIT
// Descriptors at the start of an environment: those of a server (the kernel log), of the first
// process (the console), and those a process hands over to the fresh environment of a set-id
// program.
//
// What is handed over is hostile: capabilities are identified before use. An endpoint must be one
// of fsd's or ttyd's, memory must be FRAMES; whatever it then contains is read like all shared
// memory.
#include <fs/file.h>
#include <fs/handover.h>

enum { CAP_OBJECT, CAP_PAGE, CAP_STATE, CAP_EXTRA };

static int send_cap(struct exo_send *send, exo_handle_t cap)
{
    *send = (struct exo_send){cap, EXO_R_ALL, EXO_SEND_COPY};
    return cap != 0;
}

// Places are fixed: an absent capability is sent as handle 0.
int file_hand_over(struct file *file, struct libos_start_fd *out, struct exo_send *send)
{
    int err = ofd_share(file);
    if (err < 0)
        return err;
    out->kind = file->ops->kind;
    out->flags = file_flags(file) | file->access;
    out->offset = file->state->offset;
    out->reserved = file->rdev;
    memset(send, 0, EXO_MSG_CAPS * sizeof(*send));
    send_cap(&send[CAP_STATE], file->state_cap);
    switch (file->ops->kind) {
    case FD_KIND_REGULAR:
    case FD_KIND_DIR:
    case FD_KIND_PATH:
        send_cap(&send[CAP_OBJECT], file->endpoint);
        send_cap(&send[CAP_PAGE], file->node_cap);
        return EXO_MSG_CAPS;
    case FD_KIND_TTY:
        send_cap(&send[CAP_OBJECT], file->endpoint);
        send_cap(&send[CAP_PAGE], tty_page_cap(file));
        return EXO_MSG_CAPS;
    case FD_KIND_PIPE:
        pipe_caps(file, &send[CAP_OBJECT].handle, &send[CAP_PAGE].handle);
        send[CAP_OBJECT].rights = send[CAP_PAGE].rights = EXO_R_ALL;
        send_cap(&send[CAP_EXTRA], file->endpoint);
        return EXO_MSG_CAPS;
    case FD_KIND_DEV:
        return 0;
    default:
        return -LX_EBADF;
    }
}

static bool is_type(exo_handle_t cap, enum exo_cap_type type, struct exo_cap_info *info)
{
    *info = (struct exo_cap_info){.size = sizeof(*info), .version = EXO_ABI_VERSION};
    return cap && exo_cap_identify(cap, info) == 0 && info->type == type;
}

static bool genuine(exo_handle_t cap, exo_handle_t service)
{
    struct exo_cap_info mine, its;
    return is_type(cap, EXO_CAP_ENDPOINT, &its) && is_type(service, EXO_CAP_ENDPOINT, &mine) &&
           mine.object == its.object;
}

static bool frames(exo_handle_t cap)
{
    struct exo_cap_info info;
    return is_type(cap, EXO_CAP_FRAMES, &info);
}

static void take_state(struct file *file, exo_handle_t cap)
{
    void *page;
    if (!frames(cap) || window_map(cap, 0, 1, EXO_R_READ | EXO_R_WRITE, &page) < 0)
        return;
    file->state = page;
    file->state_cap = cap;
}

static struct file *rebuild(const struct libos_start_fd *in)
{
    const exo_handle_t *cap = in->cap;
    struct file *file = NULL;
    long err = -LX_EBADF;
    switch (in->kind) {
    case FD_KIND_REGULAR:
    case FD_KIND_DIR:
    case FD_KIND_PATH:
        if (genuine(cap[CAP_OBJECT], H_FSD) && frames(cap[CAP_PAGE]))
            err = node_rebuild(in->kind, in->flags, cap[CAP_OBJECT], cap[CAP_PAGE], &file);
        break;
    case FD_KIND_TTY:
        if (genuine(cap[CAP_OBJECT], H_TTYD) && frames(cap[CAP_PAGE]))
            err = tty_rebuild(in->reserved, in->flags, cap[CAP_OBJECT], cap[CAP_PAGE], &file);
        break;
    case FD_KIND_PIPE:
        if (frames(cap[CAP_OBJECT]) && frames(cap[CAP_PAGE]) &&
            (!cap[CAP_EXTRA] || genuine(cap[CAP_EXTRA], H_FSD)))
            err = pipe_rebuild(in->flags, cap[CAP_OBJECT], cap[CAP_PAGE], cap[CAP_EXTRA], &file);
        break;
    case FD_KIND_DEV:
        err = dev_open(in->reserved, LX_S_IFCHR | 0666, in->flags, &file);
        break;
    }
    if (err < 0)
        return NULL;
    file->state->offset = in->offset;
    take_state(file, cap[CAP_STATE]);
    return file;
}

static void install_at(int fd, struct file *file)
{
    int got = fd_install(file, 0, fd);
    if (got != fd && got >= 0)
        px_close(got);
}

static void open_console(void)
{
    long err;
    struct file *file = file_open_path(0, "/dev/console", LX_O_RDWR, &err);
    if (!file)
        file = file_open_path(0, "/dev/null", LX_O_RDWR, &err);
    if (!file)
        return;
    file_ref(file);
    file_ref(file);
    for (int fd = 0; fd < 3; fd++)
        install_at(fd, file);
}

void fd_init(const struct libos_start *start)
{
    if (!start || start->mode == LIBOS_START_FRAMES) {
        log_install(libos_machine);
        return;
    }
    if (!start->nfds && !start->secure)
        open_console();
    const struct libos_start_fd *fds = (const void *)((const char *)start + start->fds);
    for (uint32_t i = 0; i < start->nfds; i++) {
        struct file *file = rebuild(&fds[i]);
        if (file && fds[i].fd == LX_AT_FDCWD && LX_S_ISDIR(file->mode) && !fd_current()->cwd)
            fd_current()->cwd = file;
        else if (file && fds[i].fd >= 0)
            install_at(fds[i].fd, file);
        else if (file)
            file_put(file);
    }
    // A set-id program must find 0, 1 and 2 taken, or its first files would stand there.
    long err;
    for (int fd = 0; start->secure && fd < 3; fd++) {
        struct file *null = fd_file(fd) ? NULL : file_open_path(0, "/dev/null", LX_O_RDWR, &err);
        if (null)
            install_at(fd, null);
    }
    for (int fd = 0; start->secure && fd < 3; fd++) {
        if (!fd_file(fd)) // its caller has seen to that: a limit on descriptors, a share used up
            libos_panic("descriptors 0 to 2 cannot be opened");
    }
}
