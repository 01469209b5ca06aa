// SPDX-License-Identifier: MIT
//
// What is in the capability table of a program that root has started and that is an ordinary user
// now: nothing that would let it do what the user may not, and nothing of files that root has read
// and closed.
#include "misuse.h"

static char SECRET[24]; // not in this program's own text: made when it runs

static void secret_make(void)
{
    for (int i = 0; i < 23; i++)
        SECRET[i] = (char)('a' + (i * 7 + 3) % 26);
}

// Every slot and generation that can have been used by now.
static exo_handle_t next_handle(exo_handle_t h, struct exo_cap_info *info)
{
    uint32_t index = EXO_HANDLE_INDEX(h), generation = (uint32_t)(h >> EXO_HANDLE_BITS);
    for (; index < 600; index++, generation = 0)
        while (++generation <= 60) {
            exo_handle_t at = index | (exo_handle_t)generation << EXO_HANDLE_BITS;
            *info = (struct exo_cap_info){.size = sizeof *info, .version = EXO_ABI_VERSION};
            if (exo_cap_identify(at, info) == 0)
                return at;
        }
    return 0;
}

static int page_tells(const char *page)
{
    return memmem(page, EXO_PAGE_SIZE, SECRET, strlen(SECRET)) != NULL;
}

// Maps what can be mapped, page by page, and looks.
static int shows_secret(exo_handle_t h, const struct exo_cap_info *info)
{
    uint64_t va = 0x480000000000;
    int64_t mine = exo_cap_copy(h, info->rights & EXO_R_READ, 0, 0);
    int found = 0;
    uint64_t pages = info->type == EXO_CAP_SEGMENT ? 512 : info->length < 64 ? info->length : 64;
    for (uint64_t i = 0; mine > 0 && i < pages; i++) {
        struct exo_map_op map = {EXO_OP_MAP, 1, va + i * EXO_PAGE_SIZE, (uint64_t)mine, i,
                                 EXO_R_READ, 0};
        char page[EXO_PAGE_SIZE];
        if (exo_aspace_batch(0, H_BANK, &map, 1) == 1 &&
            exo_env_memory(0, map.va, page, sizeof page, 0) == sizeof page)
            found |= page_tells(page);
    }
    if (mine > 0)
        exo_cap_delete((exo_handle_t)mine);
    return found;
}

static void scan(void)
{
    struct exo_cap_info info;
    unsigned strong = 0, bank = 0, told = 0, all = 0;
    for (exo_handle_t h = 0; (h = next_handle(h, &info)); all++) {
        strong += info.type == EXO_CAP_IRQ || info.type == EXO_CAP_IOPORT ||
                  info.type == EXO_CAP_DEVICE || info.type == EXO_CAP_MACHINE ||
                  info.type == EXO_CAP_ENV || info.type == EXO_CAP_ASPACE ||
                  (info.type == EXO_CAP_ENDPOINT && info.rights & ~(uint32_t)EXO_R_CALL) ||
                  (info.type == EXO_CAP_SLICE && info.rights & ~(uint32_t)EXO_R_BIND);
        bank += info.type == EXO_CAP_BANK && info.rights & ~(uint32_t)(EXO_R_BUY | EXO_R_READ);
        if (info.type == EXO_CAP_FRAMES || info.type == EXO_CAP_SEGMENT)
            told += (unsigned)shows_secret(h, &info);
        if (strong || bank || told)
            snprintf(attempt_why, sizeof attempt_why, "handle %llx type %u rights %x",
                     (unsigned long long)h, info.type, info.rights);
    }
    ATTEMPT("a table searched for devices, environments, and more right to time, memory and "
            "servers than everybody has")
    {
        TRY_TRUE(all >= 7);
        TRY(strong, 0);
        TRY(bank, 0);
    }
    ATTEMPT("a table searched for what root has read")
    TRY(told, 0);
}

int main(int argc, char **argv)
{
    char buf[64];
    tap_start();
    secret_make();
    if (argc > 1) {
        scan();
        return tap_done();
    }
    const char *self = tap_self(argv);
    if (geteuid() != 0)
        tap_skip_all("needs root");
    tap_tmp();
    SYS(chmod(".", 0755));
    copy_to(self, "prog");
    tap_put("secret", 0600, SECRET);
    for (int i = 0; i < 3; i++) {
        int fd = SYS(open("secret", O_RDWR));
        NEED(read(fd, buf, sizeof buf) > 0 && pwrite(fd, SECRET, strlen(SECRET), 0) > 0);
        SYS(close(fd));
    }
    int open_still = SYS(open("secret", O_RDONLY | O_CLOEXEC));
    NEED(read(open_still, buf, 4) == 4);
    int status;
    pid_t pid = SYS(fork());
    if (pid == 0) {
        tap_drop(1000);
        execl("./prog", "prog", "scan", (char *)NULL);
        _exit(126);
    }
    NEED(waitpid(pid, &status, 0) == pid);
    tap_clean();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
