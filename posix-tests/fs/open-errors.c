// SPDX-License-Identifier: MIT
//
// open(): the path errors. A file used as a directory is ENOTDIR, an empty path ENOENT, a pointer
// outside the address space EFAULT.
#include "tap.h"

int main(void)
{
    char name[NAME_MAX + 2], *path = malloc(PATH_MAX + 2);
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "x");
    ERR(open("", O_RDONLY), ENOENT);
    ERR(open("f/g", O_RDONLY), ENOTDIR);
    ERR(open("f/", O_RDONLY), ENOTDIR);
    ERR(open("f/.", O_RDONLY), ENOTDIR);
    ERR(open("f/g", O_RDWR | O_CREAT, 0600), ENOTDIR);
    ERR(open("none/", O_RDWR | O_CREAT, 0600), EISDIR);
    ERR(open((char *)8, O_RDONLY), EFAULT);
    memset(name, 'n', sizeof name);
    name[NAME_MAX + 1] = 0;
    ERR(open(name, O_RDONLY), ENAMETOOLONG);
    ERR(open(name, O_RDWR | O_CREAT, 0600), ENAMETOOLONG);
    name[NAME_MAX] = 0;
    ERR(open(name, O_RDONLY), ENOENT);
    OK(open(name, O_RDWR | O_CREAT, 0600) >= 0);
    for (int i = 0; i < PATH_MAX; i += 2)
        memcpy(path + i, "./", 2);
    strcpy(path + PATH_MAX - 2, "ff");
    ERR(open(path, O_RDONLY), ENAMETOOLONG);
    strcpy(path + PATH_MAX - 2, "f");
    OK(open(path, O_RDONLY) >= 0);
    ERR(open("/dev/null/x", O_RDONLY), ENOTDIR);
    return tap_done();
}
