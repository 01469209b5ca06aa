// SPDX-License-Identifier: MIT
//
// What a program finds at its start: page size, credentials, a random block, its own program
// headers, an aligned stack, three open descriptors.
#include "tap.h"
#include <elf.h>
#include <sys/auxv.h>
extern char **environ;

int main(int argc, char **argv)
{
    tap_start();
    OK(argc == 1 && argv[0] && !argv[1]);
    EQ(getauxval(AT_PAGESZ), sysconf(_SC_PAGESIZE));
    EQ(getauxval(AT_UID), getuid());
    EQ(getauxval(AT_EUID), geteuid());
    EQ(getauxval(AT_GID), getgid());
    EQ(getauxval(AT_SECURE), 0);
    EQ(getauxval(AT_CLKTCK), sysconf(_SC_CLK_TCK));
    const unsigned char *random = (void *)getauxval(AT_RANDOM);
    int set = 0;
    for (int i = 0; i < 16 && random; i++)
        set += random[i] != 0;
    OK(set > 4);
    const Elf64_Phdr *ph = (void *)getauxval(AT_PHDR);
    int loads = 0;
    for (unsigned long i = 0; ph && i < getauxval(AT_PHNUM); i++)
        loads += ph[i].p_type == PT_LOAD;
    OK(loads >= 1);
    EQ(getauxval(AT_PHENT), sizeof *ph);
    OK(getauxval(AT_ENTRY) != 0);
    const char *name = (void *)getauxval(AT_EXECFN);
    OK(name && strstr(name, "auxv"));
    for (int fd = 0; fd < 3; fd++)
        OK(fcntl(fd, F_GETFD) != -1);
    EQ((uintptr_t)__builtin_frame_address(0) % 16, 0);
    OK(environ != NULL);
    return tap_done();
}
