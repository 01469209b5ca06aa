// SPDX-License-Identifier: MIT
//
// access() asks with the real ids, faccessat(AT_EACCESS) with the effective ones; root may read all
// but executes only what has an x bit.
#include "tap.h"

int main(void)
{
    tap_start();
    tap_tmp();
    SYS(chmod(".", 0755));
    tap_put("f", 0600, "x");
    tap_put("x", 0711, "x");
    EQ(access("f", F_OK), 0);
    EQ(access("f", R_OK | W_OK), 0);
    ERR(access("f", X_OK), EACCES);
    EQ(access("x", X_OK), 0);
    ERR(access("none", F_OK), ENOENT);
    ERR(access("f/x", F_OK), ENOTDIR);
    ERR(access("f", 64), EINVAL);
    SYS(symlink("none", "l"));
    ERR(access("l", F_OK), ENOENT);
    if (geteuid() != 0) {
        tap_skip("real against effective", "needs root");
        return tap_done();
    }
    tap_put("zero", 0, "x");
    EQ(access("zero", R_OK | W_OK), 0);
    IN_CHILD("real uid 1000, effective uid 0") {
        NEED(setresuid(1000, 0, 0) == 0);
        ERR(access("f", R_OK), EACCES);
        EQ(faccessat(AT_FDCWD, "f", R_OK, AT_EACCESS), 0);
        EQ(open("f", O_RDONLY) >= 0, 1);
    }
    IN_CHILD("real uid 0, effective uid 1000") {
        NEED(seteuid(1000) == 0);
        EQ(access("f", R_OK), 0);
        ERR(faccessat(AT_FDCWD, "f", R_OK, AT_EACCESS), EACCES);
        ERR(open("f", O_RDONLY), EACCES);
    }
    return tap_done();
}
