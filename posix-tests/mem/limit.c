// SPDX-License-Identifier: MIT
//
// RLIMIT_AS: allocation beyond it fails with ENOMEM and the process goes on; memory given back can
// be had again.
#include "tap.h"
#include <sys/mman.h>
#include <sys/resource.h>

int main(void)
{
    tap_start();
    IN_CHILD("limited") {
        struct rlimit limit = {96 << 20, 96 << 20};
        EQ(setrlimit(RLIMIT_AS, &limit), 0);
        void *block[256];
        int n = 0;
        while (n < 256 && (block[n] = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED)
            n++;
        OK(n >= 32 && n < 97);
        EQ(errno, ENOMEM);
        ERR_NULL(malloc(8 << 20), ENOMEM);
        for (int i = 0; i < 16; i++)
            EQ(munmap(block[i], 1 << 20), 0);
        void *again = malloc(8 << 20);
        OK(again != NULL);
        memset(again, 1, 8 << 20);
    }
    return tap_done();
}
