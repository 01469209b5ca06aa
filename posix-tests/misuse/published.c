// SPDX-License-Identifier: MIT
//
// What fsd shares with everybody, misused: the pages of names and attributes written, mapped for
// writing, filled, taken away from others; the page of kept opens full of other people's numbers;
// leases whose word is nonsense, or changed while others look.
#include "misuse.h"
#include <proto/names.h>
#include <sys/mman.h>
#include <sys/resource.h>

static void store_to(volatile uint32_t *at)
{
    int status;
    pid_t pid = fork();
    NEED(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        *at = 1;
        _exit(0);
    }
    while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
        ;
    TRY_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void names(void)
{
    struct stat st;
    const volatile struct names_head *head = (const volatile void *)LIBOS_NAMES;
    ATTEMPT("published names written to")
    {
        stat("/etc/passwd", &st); // the pages are there from now on
        TRY(head->version, NAMES_VERSION);
        store_to((volatile uint32_t *)LIBOS_NAMES);
        store_to((volatile uint32_t *)(LIBOS_NAMES + head->names_at));
        store_to((volatile uint32_t *)(LIBOS_NAMES + head->attrs_at));
    }
    ATTEMPT("published names mapped for writing, filled, cleared, revoked")
    {
        TRY(ask(H_FSD, FS_OP_NAMES), 0);
        exo_handle_t seg = own_ctx()->recv[0];
        int64_t own = exo_frames_alloc(H_BANK, 1, 0, 0);
        void *room = mmap(NULL, 4ul << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        uint64_t va = ((uint64_t)room + (2ul << 20) - 1) & ~((2ul << 20) - 1);
        struct exo_map_op op = {EXO_OP_MAP, 512, va, seg, 0, EXO_R_READ | EXO_R_WRITE, 0};
        NEED(own > 0 && room != MAP_FAILED);
        TRY_FAILS(exo_aspace_batch(0, H_BANK, &op, 1));
        TRY(exo_segment_fill(seg, 500, (exo_handle_t)own, 0, 1 | (uint64_t)EXO_R_READ << 32),
            -EXO_ERIGHTS);
        TRY(exo_segment_clear(seg, 0, 1), -EXO_ERIGHTS);
        TRY(exo_cap_revoke(seg), -EXO_ERIGHTS);
        exo_cap_delete((exo_handle_t)own);
        exo_cap_delete(seg);
        munmap(room, 4ul << 20);
        TRY(stat("/etc/passwd", &st), 0);
    }
}

static char page[EXO_PAGE_SIZE] __attribute__((aligned(4096)));

static exo_handle_t page_map(void)
{
    TRY(ask(H_FSD, FS_OP_OWN), 0);
    exo_handle_t cap = own_ctx()->recv[0];
    munmap(page, sizeof page);
    struct exo_map_op op = {EXO_OP_MAP, 1, (uint64_t)page, cap, 0, EXO_R_READ | EXO_R_WRITE, 0};
    TRY(exo_aspace_batch(0, H_BANK, &op, 1), 1);
    return cap;
}

static exo_handle_t open_raw(const char *path, uint64_t flags)
{
    TRY(ask_with(H_FSD, path, strlen(path) + 1, FS_OP_OPEN, flags, 0600), 0);
    exo_cap_delete(own_ctx()->recv[1]);
    return own_ctx()->recv[0];
}

// A lease is ours, and its word; the file may become as large as it was given room, and of zeroes.
static void leases(const char *path)
{
    static const uint64_t words[] = {0,
                                     UINT64_MAX,
                                     UINT64_MAX >> 1,
                                     FS_GROW(UINT32_MAX, 0),
                                     FS_GROW(100, 7),
                                     FS_GROW(0, 0x7fffffff),
                                     FS_GROW_ENDED};
    char bytes[4096];
    exo_handle_t file = open_raw(path, O_RDWR | O_CREAT | O_TRUNC);
    int fd = SYS(open(path, O_RDONLY));
    ATTEMPT("a file made to grow past its lease, and to show what others left on the volume")
    for (unsigned i = 0; i < 3 * (sizeof words / sizeof *words); i++) {
        exo_handle_t cap = page_map();
        struct fs_own *own = (void *)page;
        TRY_TRUE(ask(file, FS_OP_RESERVE, UINT64_MAX, 10, 1) == 10);
        memset(own->grow, 0, sizeof own->grow);
        for (unsigned k = 0; k < FS_GROW_MAX; k++)
            own->grow[k] = words[i / 3];
        off_t size = lseek(fd, 0, SEEK_END), more;
        TRY_TRUE(size >= 0 && size <= 4 << 20);
        for (off_t at = 0; at < size; at += (off_t)sizeof bytes) {
            memset(bytes, 1, sizeof bytes);
            ssize_t got = pread(fd, bytes, sizeof bytes, at);
            for (ssize_t b = 0; b < got; b++)
                TRY_TRUE(bytes[b] == 0);
        }
        for (unsigned k = 0; k < FS_GROW_MAX; k++)
            own->grow[k] = FS_GROW(0x70000000, 0x70000000);
        more = lseek(fd, 0, SEEK_END);
        TRY(more, size);
        TRY_FAILS(ask(file, FS_OP_COMMIT, (uint64_t)size, 8ull << 20));
        TRY(exo_cap_delete(cap), 0);
    }
    ATTEMPT("a lease on a file that may only be read, that only is named, or without the page")
    {
        exo_handle_t rd = open_raw(path, O_RDONLY), name = open_raw(path, O_PATH);
        TRY_FAILS(ask(rd, FS_OP_RESERVE, UINT64_MAX, 10, 1));
        TRY_FAILS(ask(name, FS_OP_RESERVE, UINT64_MAX, 10, 1));
        TRY_FAILS(ask(name, FS_OP_COMMIT, 0, 10));
        exo_cap_delete(rd);
        exo_cap_delete(name);
    }
    exo_cap_delete(file);
    close(fd);
    TRY(unlink(path), 0);
}

static void kept(const char *path)
{
    char byte;
    ATTEMPT("other people's opens told to be kept, and their file removed")
    {
        int fd = open(path, O_RDONLY);
        exo_handle_t cap = page_map();
        for (uint32_t first = 1; first < 4096; first += FS_IDLE_MAX) {
            struct fs_own *idle = (void *)page;
            for (uint32_t i = 0; i < FS_IDLE_MAX; i++)
                idle->open[i] = first + i;
            char name[64];
            snprintf(name, sizeof name, "/tmp/published-%u", first);
            tap_put(name, 0600, "x");
            TRY(unlink(name), 0);
        }
        TRY(read(fd, &byte, 1), 1); // opened before there was a page: not to be kept
        memset(page, 0xff, sizeof page);
        TRY(read(fd, &byte, 1), 1);
        close(fd);
        exo_cap_delete(cap);
    }
}

int main(void)
{
    tap_start();
    if (geteuid() == 0)
        tap_put("/tmp/published-secret", 0644, "of root");
    attempt_watch = "/tmp/published-secret";
    as_user(1000);
    names();
    kept("/tmp/published-secret");
    leases("/tmp/published-mine");
    return tap_done();
}
