// SPDX-License-Identifier: MIT
//
// sysconf(), uname(), gethostname(): the values POSIX sets minima for, consistent with each other.
#include "tap.h"
#include <sys/utsname.h>

int main(void)
{
    struct utsname u;
    char host[256] = "";
    tap_start();
    long page = sysconf(_SC_PAGESIZE);
    OK(page >= 4096 && (page & (page - 1)) == 0);
    EQ(sysconf(_SC_PAGE_SIZE), page);
    OK(sysconf(_SC_OPEN_MAX) >= _POSIX_OPEN_MAX);
    OK(sysconf(_SC_CLK_TCK) > 0);
    OK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
    OK(sysconf(_SC_NPROCESSORS_CONF) >= sysconf(_SC_NPROCESSORS_ONLN));
    OK(sysconf(_SC_PHYS_PAGES) > 1000);
    OK(sysconf(_SC_AVPHYS_PAGES) > 0);
    OK(sysconf(_SC_VERSION) >= 200809L);
    OK(sysconf(_SC_NGROUPS_MAX) >= 8);
    OK(sysconf(_SC_HOST_NAME_MAX) >= 64);
    OK(sysconf(_SC_LOGIN_NAME_MAX) >= 9);
    OK(sysconf(_SC_IOV_MAX) >= 16);
    OK(sysconf(_SC_RTSIG_MAX) >= _POSIX_RTSIG_MAX);
    OK(sysconf(_SC_JOB_CONTROL) > 0);
    OK(sysconf(_SC_SAVED_IDS) > 0);
    OK(sysconf(_SC_MONOTONIC_CLOCK) >= 0);
    ERR(sysconf(100000), EINVAL);
    EQ(uname(&u), 0);
    OK(*u.sysname && *u.release && *u.version);
    STR(u.machine, "x86_64");
    EQ(gethostname(host, sizeof host), 0);
    STR(host, u.nodename);
    return tap_done();
}
