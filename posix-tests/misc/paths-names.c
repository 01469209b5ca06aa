// SPDX-License-Identifier: MIT
//
// basename(), dirname(), getpwuid(), getpwnam(), getgrgid(), confstr(): the small services scripts
// and shells lean on.
#include "tap.h"
#include <grp.h>
#include <libgen.h>
#include <pwd.h>

int main(void)
{
    static const char *const path[] = {"/usr/lib", "/usr/", "usr", "/", ".", "..", "/a//b//", ""};
    static const char *const dir[] = {"/usr", "/", ".", "/", ".", ".", "/a", "."};
    static const char *const base[] = {"lib", "usr", "usr", "/", ".", "..", "b", "."};
    char a[32], b[32], text[256];
    tap_start();
    for (int i = 0; i < 8; i++) {
        strcpy(a, path[i]);
        strcpy(b, path[i]);
        STR(dirname(a), dir[i]);
        STR(basename(b), base[i]);
    }
    OK(confstr(_CS_PATH, text, sizeof text) > 1 && strstr(text, "bin"));
    struct passwd *pw = getpwuid(0);
    if (!pw) {
        tap_skip("users", "no user data base");
        return tap_done();
    }
    STR(pw->pw_name, "root");
    EQ(pw->pw_uid, 0);
    OK(pw->pw_dir && *pw->pw_dir == '/');
    pw = getpwnam("root");
    OK(pw && pw->pw_uid == 0);
    errno = 0;
    OK(getpwnam("no-such-user") == NULL);
    struct group *gr = getgrgid(0);
    OK(gr && gr->gr_gid == 0 && gr->gr_name && *gr->gr_name);
    int users = 0;
    setpwent();
    while (getpwent())
        users++;
    endpwent();
    OK(users >= 1);
    return tap_done();
}
