// SPDX-License-Identifier: MIT
//
// exec: a failed exec returns with the process unharmed and says why.
#include "tap.h"

int main(void)
{
    char *args[] = {"x", NULL}, name[NAME_MAX + 2];
    tap_start();
    tap_tmp();
    SYS(chmod(".", 0755));
    tap_put("text", 0755, "just text, no program");
    tap_put("empty", 0755, "");
    tap_put("plain", 0644, "#!/bin/sh\n");
    tap_put("short", 0755, "\177ELF");
    tap_put("noint", 0755, "#!/no/such/interpreter\n");
    tap_put("badint", 0755, "#!/dev/null\n");
    SYS(symlink("loop", "loop"));
    memset(name, 'n', sizeof name);
    name[NAME_MAX + 1] = 0;
    ERR(execv("none", args), ENOENT);
    ERR(execv("", args), ENOENT);
    ERR(execv("text", args), ENOEXEC);
    ERR(execv("empty", args), ENOEXEC);
    ERR(execv("short", args), ENOEXEC);
    ERR(execv("plain", args), EACCES);
    ERR(execv(".", args), EACCES);
    ERR(execv("text/x", args), ENOTDIR);
    ERR(execv("loop", args), ELOOP);
    ERR(execv(name, args), ENAMETOOLONG);
    ERR(execv("noint", args), ENOENT);
    ERR(execv("badint", args), EACCES);
    ERR(execv("/dev/null", args), EACCES);
    ERR(execv((char *)8, args), EFAULT);
    ERR(execv("/", args), EACCES);
    IN_CHILD("as a user, a file of mode 0700 of someone else") {
        if (geteuid() != 0)
            _exit(0);
        tap_put("secret", 0700, "#!/bin/sh\n");
        tap_drop(1000);
        ERR(execv("secret", args), EACCES);
    }
    return tap_done();
}
