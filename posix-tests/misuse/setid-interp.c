// SPDX-License-Identifier: MIT
//
// A set-user-id program of one user that names a set-user-id program of root as its interpreter: it
// runs with its own owner's id, and never with its interpreter's.
#include "misuse.h"
#include <elf.h>

// Headers alone, mapped far from everything; where it begins is the interpreter's business.
static void program_make(const char *path, const char *interp)
{
    struct {
        Elf64_Ehdr eh;
        Elf64_Phdr ph[3];
        char interp[256];
    } f = {0};

    uint64_t at = 0x10000000;
    memcpy(f.eh.e_ident, ELFMAG, SELFMAG);
    f.eh.e_ident[EI_CLASS] = ELFCLASS64;
    f.eh.e_ident[EI_DATA] = ELFDATA2LSB;
    f.eh.e_ident[EI_VERSION] = EV_CURRENT;
    f.eh.e_type = ET_EXEC;
    f.eh.e_machine = EM_X86_64;
    f.eh.e_version = EV_CURRENT;
    f.eh.e_entry = at;
    f.eh.e_phoff = sizeof f.eh;
    f.eh.e_ehsize = sizeof f.eh;
    f.eh.e_phentsize = sizeof f.ph[0];
    f.eh.e_phnum = 3;
    f.ph[0] =
        (Elf64_Phdr){PT_PHDR, PF_R, sizeof f.eh, at + sizeof f.eh, 0, sizeof f.ph, sizeof f.ph, 8};
    f.ph[1] = (Elf64_Phdr){PT_INTERP,
                           PF_R,
                           offsetof(__typeof__(f), interp),
                           at + offsetof(__typeof__(f), interp),
                           0,
                           strlen(interp) + 1,
                           strlen(interp) + 1,
                           1};
    f.ph[2] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0, at, 0, sizeof f, sizeof f, 4096};
    snprintf(f.interp, sizeof f.interp, "%s", interp);
    int fd = SYS(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755));
    NEED(write(fd, &f, sizeof f) == sizeof f && close(fd) == 0);
}

static int run_as(uid_t uid, const char *path)
{
    pid_t pid = SYS(fork());
    if (pid == 0) {
        tap_drop(uid);
        execl(path, path, "ids", (char *)NULL);
        _exit(100 + (errno & 15));
    }
    int status;
    NEED(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv)
{
    char dir[PATH_MAX], interp[PATH_MAX + 16], program[PATH_MAX + 16];
    if (argc > 1) // euid 1001 is 1, root is 50, the caller's own 2
        return (geteuid() == 1001 ? 1 : geteuid() == 0 ? 50 : 2) + (getegid() == 0 ? 4 : 0);
    tap_start();
    const char *self = tap_self(argv);
    if (geteuid() != 0)
        tap_skip_all("needs root");
    tap_tmp();
    SYS(chmod(".", 0755));
    NEED(getcwd(dir, sizeof dir));
    snprintf(interp, sizeof interp, "%s/interp", dir);
    snprintf(program, sizeof program, "%s/program", dir);
    copy_to(self, interp);
    program_make(program, interp);
    SYS(chown(program, 1001, 1000));
    static const int modes[] = {0755, 04755, 06755, 02755};
    for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++) {
        SYS(chmod(interp, modes[i]));
        SYS(chmod(program, 0755));
        EQ(run_as(1000, program), 2);
        SYS(chmod(program, 04755));
        ATTEMPT("a set-id program whose interpreter is root's")
        TRY(run_as(1000, program), 1);
    }
    return tap_done();
}
