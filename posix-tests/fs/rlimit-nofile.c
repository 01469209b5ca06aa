// SPDX-License-Identifier: MIT
//
// RLIMIT_NOFILE: descriptors below the limit all work, the next is EMFILE and changes nothing;
// descriptors above a lowered limit stay usable.
#include "tap.h"
#include <sys/resource.h>

int main(void)
{
    struct rlimit old, limit;
    int p[2];
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "x");
    SYS(getrlimit(RLIMIT_NOFILE, &old));
    OK(old.rlim_cur >= 64);
    int high = fcntl(1, F_DUPFD, 40);
    limit = (struct rlimit){30, old.rlim_max};
    EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    EQ(sysconf(_SC_OPEN_MAX), 30);
    int last = -1, fd;
    while ((fd = open("f", O_RDONLY)) >= 0)
        last = fd;
    EQ(errno, EMFILE);
    EQ(last, 29);
    ERR(dup(1), EMFILE);
    ERR(pipe(p), EMFILE);
    ERR(dup2(1, 30), EBADF);
    ERR(open("new", O_WRONLY | O_CREAT, 0644), EMFILE);
    ERR(access("new", F_OK), ENOENT);
    ERR_NULL(opendir("."), EMFILE);
    SYS(close(29));
    ERR(pipe(p), EMFILE);
    EQ(open("f", O_RDONLY), 29);
    EQ(write(high, "# still open\n", 13), 13);
    IN_CHILD("inherited") {
        ERR(dup(1), EMFILE);
    }
    limit.rlim_cur = old.rlim_cur;
    EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    EQ(open("f", O_RDONLY), 30);
    limit = (struct rlimit){20, 10};
    ERR(setrlimit(RLIMIT_NOFILE, &limit), EINVAL);
    return tap_done();
}
