// SPDX-License-Identifier: MIT
//
// strsignal(), psignal(), sig2str-free: descriptions exist, differ, and unknown numbers are safe.
#include "tap.h"

int main(void)
{
    tap_start();
    tap_tmp();
    char first[64];
    snprintf(first, sizeof first, "%s", strsignal(SIGINT));
    OK(*first);
    OK(strcmp(first, strsignal(SIGTERM)) != 0);
    OK(strsignal(1000) != NULL);
    OK(strsignal(-1) != NULL);
    int fd = SYS(open("err", O_RDWR | O_CREAT, 0600)), saved = SYS(dup(2));
    SYS(dup2(fd, 2));
    psignal(SIGINT, "note");
    SYS(dup2(saved, 2));
    OK(!strncmp(tap_get("err"), "note: ", 6));
    OK(strstr(tap_get("err"), first) != NULL);
    return tap_done();
}
