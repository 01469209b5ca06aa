// SPDX-License-Identifier: MIT
//
// A bad pointer is EFAULT in every call that reads or writes through it, whether it is unmapped, in
// the kernel's half, or not canonical; the process goes on.
#include "tap.h"
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#define RAW(...) syscall(__VA_ARGS__)

int main(void)
{
    int p[2];
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "data");
    char *gone = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(gone != MAP_FAILED);
    SYS(munmap(gone, 4096));
    void *const bad[] = {gone, (void *)0xffffffff80001000, (void *)0x8000000000001000, (void *)-1L};
    int fd = SYS(open("f", O_RDWR));
    SYS(pipe(p));
    for (int i = 0; i < 4; i++) {
        void *b = bad[i];
        ERR(RAW(SYS_read, fd, b, 4), EFAULT);
        ERR(RAW(SYS_write, p[1], b, 4), EFAULT);
        ERR(RAW(SYS_writev, p[1], b, 1), EFAULT);
        ERR(RAW(SYS_openat, AT_FDCWD, b, O_RDONLY, 0), EFAULT);
        ERR(RAW(SYS_pipe2, b, 0), EFAULT);
        ERR(RAW(SYS_fstat, fd, b), EFAULT);
        ERR(RAW(SYS_getcwd, b, 4096), EFAULT);
        ERR(RAW(SYS_chdir, b), EFAULT);
        ERR(RAW(SYS_mkdirat, AT_FDCWD, b, 0755), EFAULT);
        ERR(RAW(SYS_symlinkat, "x", AT_FDCWD, b), EFAULT);
        ERR(RAW(SYS_renameat, AT_FDCWD, "f", AT_FDCWD, b), EFAULT);
        ERR(RAW(SYS_readlinkat, AT_FDCWD, b, b, 10), EFAULT);
        ERR(RAW(SYS_rt_sigaction, SIGUSR1, b, NULL, 8), EFAULT);
        ERR(RAW(SYS_rt_sigprocmask, SIG_BLOCK, b, NULL, 8), EFAULT);
        ERR(RAW(SYS_sigaltstack, b, NULL), EFAULT);
        ERR(RAW(SYS_poll, b, 1, 0), EFAULT);
        ERR(RAW(SYS_nanosleep, b, NULL), EFAULT);
        ERR(RAW(SYS_clock_gettime, CLOCK_MONOTONIC, b), EFAULT);
        ERR(RAW(SYS_uname, b), EFAULT);
        ERR(RAW(SYS_execve, b, NULL, NULL), EFAULT);
        ERR(RAW(SYS_getrlimit, 7, b), EFAULT);
        ERR(RAW(SYS_fcntl, fd, F_GETLK, b), EFAULT);
        ERR(RAW(SYS_getdents64, SYS(open(".", O_RDONLY)), b, 4096), EFAULT);
        pid_t pid = fork();
        if (pid == 0)
            _exit(5);
        ERR(RAW(SYS_wait4, pid, b, 0, NULL), EFAULT);
        waitpid(pid, NULL, 0);
    }
    EQ(lseek(fd, 0, SEEK_CUR), 0);
    STR(tap_get("f"), "data");
    return tap_done();
}
