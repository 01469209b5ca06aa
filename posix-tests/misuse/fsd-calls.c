// SPDX-License-Identifier: MIT
//
// fsd's calls made raw by an ordinary user with every field wrong: lengths, offsets, paths, rights,
// capabilities of the wrong kind, endpoints that are closed. The file they are aimed at, root's,
// stays as it is.
#include "misuse.h"

static exo_handle_t rd, wr; // endpoints of a file of ours, opened for reading and for writing
static char page[EXO_MSG_SIZE];

static long path_call(exo_handle_t ep, uint64_t op, const char *path, uint64_t a, uint64_t b)
{
    return ask_with(ep, path, strlen(path) + 1, op, a, b);
}

static exo_handle_t open_raw(const char *path, uint64_t flags, uint64_t mode)
{
    long r = path_call(H_FSD, FS_OP_OPEN, path, flags, mode);
    exo_handle_t ep = r < 0 ? 0 : own_ctx()->recv[0];
    for (int i = 1; i < 4; i++)
        if (own_ctx()->recv[i])
            exo_cap_delete(own_ctx()->recv[i]);
    return ep;
}

static void numbers(void)
{
    ATTEMPT("an operation of fsd that does not exist")
    {
        TRY_FAILS(ask(H_FSD, 0));
        TRY_FAILS(ask(H_FSD, FS_OP_MOUNT + 1));
        TRY_FAILS(ask(H_FSD, UINT64_MAX));
        TRY_FAILS(ask(rd, 1ull << 32 | FS_OP_READ, 0, 10));
    }
    ATTEMPT("offsets and lengths that no file has")
    {
        static const uint64_t odd[] = {EXO_MSG_SIZE + 1, 1ull << 31, 1ull << 32,    1ull << 41,
                                       1ull << 62,       1ull << 63, UINT64_MAX - 1};
        for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
            TRY_TRUE(ask(rd, FS_OP_READ, odd[i], 100) <= 0);
            TRY_TRUE(ask(rd, FS_OP_READ, 0, odd[i]) <= EXO_MSG_SIZE);
            TRY_FAILS(ask(wr, FS_OP_WRITE, 0, odd[i]));
            TRY_FAILS(ask(wr, FS_OP_WRITE, odd[i] | 1ull << 50, 1));
            TRY_FAILS(ask(wr, FS_OP_RESERVE, odd[i] | 1ull << 50, 10));
            TRY_FAILS(ask(wr, FS_OP_COMMIT, odd[i], odd[i]));
            TRY_FAILS(ask(rd, FS_OP_SEGMENT, odd[i] | 1ull << 40, 0));
            TRY_FAILS(ask(rd, FS_OP_FILL, odd[i] | 1ull << 40, 0));
            TRY_FAILS(ask(wr, FS_OP_FTRUNCATE, odd[i] | 1ull << 50));
            TRY_FAILS(ask(wr, FS_OP_FALLOCATE, 0, odd[i] | 1ull << 50, odd[i]));
            TRY_FAILS(ask(rd, FS_OP_READDIR, odd[i], odd[i]));
        }
        TRY_FAILS(ask(wr, FS_OP_WRITE, 0, 100));  // more than the message holds
        TRY_FAILS(ask(wr, FS_OP_COMMIT, 0, 100)); // of nothing that was reserved
    }
    ATTEMPT("locks of no kind, before the file, past all files")
    for (int cmd = -1; cmd < 50; cmd++) {
        ask(rd, FS_OP_LOCK, cmd, 77, 0, 0, getpid());
        ask(rd, FS_OP_LOCK, cmd, F_RDLCK, -1, -1, -1);
        ask(rd, FS_OP_LOCK, cmd, F_RDLCK, 1ull << 63, 1ull << 62, 1);
        ask(rd, FS_OP_FLOCK, cmd | 0x8000);
        ask(rd, FS_OP_UNLOCK_ALL);
    }
}

static void rights(void)
{
    ATTEMPT("a file opened for reading written, cut, extended, mapped for writing")
    {
        TRY(ask_with(rd, "x", 1, FS_OP_WRITE, 0, 1), -EBADF);
        TRY(ask_with(rd, "x", 1, FS_OP_WRITE, UINT64_MAX, 1), -EBADF);
        TRY_FAILS(ask(rd, FS_OP_FTRUNCATE, 0));
        TRY_FAILS(ask(rd, FS_OP_RESERVE, 0, 10));
        TRY_FAILS(ask(rd, FS_OP_FALLOCATE, 0, 0, 10));
        TRY_FAILS(ask(rd, FS_OP_SEGMENT, 0, 1));
        TRY_FAILS(ask(rd, FS_OP_FILL, 0, 1));
    }
    ATTEMPT("a file opened for writing read")
    {
        exo_handle_t only = open_raw("/tmp/fsd-mine", O_WRONLY, 0);
        TRY(ask(only, FS_OP_READ, 0, 10), -EBADF);
        TRY(exo_cap_delete(only), 0);
    }
    ATTEMPT("root's file opened, read, written, renamed, cut, given away, by its path")
    {
        TRY(open_raw("/tmp/fsd-secret", O_RDONLY, 0), 0);
        TRY(open_raw("/tmp/fsd-secret", O_RDWR | O_TRUNC, 0), 0);
        TRY(open_raw("/tmp/fsd-secret", O_WRONLY | O_APPEND, 0), 0);
        TRY(path_call(H_FSD, FS_OP_TRUNCATE, "/tmp/fsd-secret", 0, 0), -EACCES);
        TRY(path_call(H_FSD, FS_OP_CHMOD, "/tmp/fsd-secret", 0777, 0), -EPERM);
        TRY(path_call(H_FSD, FS_OP_CHOWN, "/tmp/fsd-secret", 1000, 1000), -EPERM);
        TRY(path_call(H_FSD, FS_OP_UTIMENS, "/tmp/fsd-secret", 0, 1), -EPERM);
        TRY_FAILS(path_call(H_FSD, FS_OP_UNLINK, "/tmp/fsd-secret", 0, 0));
        memcpy(page, "/tmp/fsd-secret\0/tmp/fsd-mine2", 31);
        TRY_FAILS(ask_with(H_FSD, page, 31, FS_OP_RENAME, 0, 0));
        memcpy(page, "/tmp/fsd-mine\0/tmp/fsd-secret", 30);
        TRY_FAILS(ask_with(H_FSD, page, 30, FS_OP_RENAME, 0, 0));
    }
    ATTEMPT("root's file through a descriptor that only names it")
    {
        exo_handle_t name = open_raw("/tmp/fsd-secret", O_PATH, 0);
        TRY_TRUE(name != 0);
        TRY_FAILS(ask(name, FS_OP_READ, 0, 10));
        TRY_FAILS(ask(name, FS_OP_SEGMENT, 0, 0));
        TRY_FAILS(ask(name, FS_OP_FILL, 0, 0));
        TRY_FAILS(ask_with(name, "x", 1, FS_OP_WRITE, 0, 1));
        TRY_FAILS(ask(name, FS_OP_FTRUNCATE, 0));
        TRY_FAILS(ask_with(name, "", 1, FS_OP_CHMOD, 0777, AT_EMPTY_PATH));
        TRY_FAILS(ask_with(name, "", 1, FS_OP_OPEN, O_RDONLY, 0));
        TRY_FAILS(ask_with(name, "", 1, FS_OP_TRUNCATE, 0, 0));
        TRY(exo_cap_delete(name), 0);
    }
    ATTEMPT("a directory read from the middle of its last entry")
    {
        exo_handle_t dir = open_raw("/tmp", O_RDONLY | O_DIRECTORY, 0);
        for (unsigned at = 4080; at < 4100; at++)
            TRY_TRUE(ask(dir, FS_OP_READDIR, at, 4096) >= 0);
        TRY(exo_cap_delete(dir), 0);
    }
    ATTEMPT("the volume's mounts and roots changed by a user")
    {
        TRY(path_call(H_FSD, FS_OP_CHROOT, "/tmp", 0, 0), -EPERM);
        TRY(path_call(H_FSD, FS_OP_MOUNT, "/tmp", FS_MOUNT_PROC, 0), -EPERM);
        TRY_FAILS(path_call(H_FSD, FS_OP_MKNOD, "/tmp/fsd-null", S_IFCHR | 0666, 0x103));
        TRY_FAILS(path_call(H_FSD, FS_OP_MKDIR, "/fsd-dir", 0777, 0));
    }
}

static void paths(void)
{
    ATTEMPT("paths without end, of no length, of one long name, of nothing but climbing")
    for (unsigned op = FS_OP_OPEN; op <= FS_OP_CHROOT; op++) {
        if (op == FS_OP_STATFS || op == FS_OP_GETCWD)
            continue;
        memset(page, 'a', sizeof page);
        TRY_FAILS(ask_with(H_FSD, page, sizeof page, op, 0, 0));
        TRY_FAILS(ask_with(H_FSD, page, 300, op, 0, 0));
        page[sizeof page - 1] = 0;
        TRY_FAILS(ask_with(H_FSD, page, sizeof page, op, 0, 0));
        TRY_FAILS(ask_with(H_FSD, "", 0, op, 0, 0));
        for (unsigned i = 0; i + 3 < sizeof page; i += 3)
            memcpy(page + i, "../", 3);
        strcpy(page + 3000, "tmp/fsd-secret/x");
        TRY_FAILS(ask_with(H_FSD, page, 3017, op, 0, 0));
    }
    ATTEMPT("two paths of which the second is missing")
    {
        TRY_FAILS(ask_with(H_FSD, "/tmp/fsd-mine", 14, FS_OP_LINK, 0, 0));
        TRY_FAILS(ask_with(H_FSD, "/tmp/fsd-mine", 14, FS_OP_RENAME, 0, 0));
        TRY_FAILS(ask_with(H_FSD, "/tmp/fsd-mine", 14, FS_OP_SYMLINK, 0, 0));
    }
}

static void capabilities(void)
{
    static const exo_handle_t wrong[] = {H_BANK, H_INIT, H_SLICE, H_PROCTAB, H_TTYD};
    memcpy(page, "/tmp/fsd-mine\0fsd-other", 24);
    ATTEMPT("capabilities of every wrong kind where a directory is expected")
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        memcpy(own_message(), page, 24);
        own_ctx()->send[0] = (struct exo_send){wrong[i], ~0u, EXO_SEND_COPY};
        TRY_FAILS(ask_all(H_FSD, EXO_META(24, 1), FS_OP_LINK, 0, 0, 0, 0, 0));
        memcpy(own_message(), page, 24);
        TRY_FAILS(ask_all(H_FSD, EXO_META(24, 1), FS_OP_RENAME, 0, 0, 0, 0, 0));
    }
    ATTEMPT("an open file that is closed, and a badge of one's own choice")
    {
        exo_handle_t gone = open_raw("/tmp/fsd-mine", O_RDONLY, 0);
        TRY(exo_cap_delete(gone), 0);
        TRY(ask(gone, FS_OP_READ, 0, 10), -1000 - EXO_EBADHANDLE);
        for (uint64_t badge = 1; badge < 5; badge++) {
            TRY_FAILS(exo_cap_derive(H_FSD, EXO_R_CALL, badge, EXO_DERIVE_BADGE, 0));
            TRY_FAILS(exo_cap_derive(rd, EXO_R_CALL, badge, EXO_DERIVE_BADGE, 0));
        }
        struct exo_msg m = {.meta = EXO_REPLY_NONE};
        TRY(exo_reply_wait(H_FSD, &m, 0), -EXO_ERIGHTS); // to serve in its place
    }
}

int main(void)
{
    tap_start();
    if (geteuid() == 0) {
        tap_put("/tmp/fsd-secret", 0600, "of root");
        int fd = SYS(open("/tmp/fsd-mine", O_CREAT | O_RDWR | O_TRUNC, 0600));
        NEED(write(fd, "mine", 4) == 4 && fchown(fd, 1000, 1000) == 0 && close(fd) == 0);
    }
    attempt_watch = "/tmp/fsd-secret";
    as_user(1000);
    rd = open_raw("/tmp/fsd-mine", O_RDONLY, 0);
    wr = open_raw("/tmp/fsd-mine", O_RDWR, 0);
    NEED(rd && wr);
    numbers();
    rights();
    paths();
    capabilities();
    ATTEMPT("after all that the file is what it was, and fsd serves")
    {
        STR(tap_get("/tmp/fsd-mine"), "mine");
        struct stat st;
        TRY(stat("/tmp/fsd-secret", &st), 0);
        TRY(st.st_mode, S_IFREG | 0600);
        TRY(st.st_uid, 0);
        TRY(st.st_size, 7);
    }
    return tap_done();
}
