// SPDX-License-Identifier: MIT
//
// What fsd shares with everybody, misused: the pages of names and attributes written, mapped for
// writing, filled, taken away from others; the page of kept opens full of other people's numbers.
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

static void kept(const char *path)
{
    static char page[EXO_PAGE_SIZE] __attribute__((aligned(4096)));
    char byte;
    ATTEMPT("other people's opens told to be kept, and their file removed")
    {
        int fd = open(path, O_RDONLY);
        TRY(ask(H_FSD, FS_OP_IDLE), 0);
        exo_handle_t cap = own_ctx()->recv[0];
        munmap(page, sizeof page);
        struct exo_map_op op = {EXO_OP_MAP, 1, (uint64_t)page, cap, 0, EXO_R_READ | EXO_R_WRITE, 0};
        TRY(exo_aspace_batch(0, H_BANK, &op, 1), 1);
        for (uint32_t first = 1; first < 4096; first += FS_IDLE_MAX) {
            struct fs_idle *idle = (void *)page;
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
    return tap_done();
}
