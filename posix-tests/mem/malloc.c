// SPDX-License-Identifier: MIT
//
// malloc() and friends: alignment, no overlap, contents kept by realloc, zeros by calloc, overflow
// is ENOMEM, free keeps errno.
#include "tap.h"

enum { BLOCKS = 400 };

static struct {
    unsigned char *at;
    size_t size;
} block[BLOCKS];

static int intact(int i)
{
    for (size_t j = 0; j < block[i].size; j += 37)
        if (block[i].at[j] != (i & 0xff))
            return 0;
    return 1;
}

int main(void)
{
    int wrong = 0, dirty = 0, misaligned = 0;
    unsigned seed = 42;
    tap_start();
    for (int round = 0; round < 6000; round++) {
        seed = seed * 1103515245 + 12345;
        int i = (seed >> 16) % BLOCKS, way = (seed >> 8) % 4;
        size_t size = (seed >> 10) % (round % 50 ? 600 : 60000) + 1;
        if (block[i].at)
            wrong += !intact(i);
        if (block[i].at && way == 0) {
            free(block[i].at);
            block[i].at = NULL;
            block[i].size = 0;
            continue;
        }
        if (!block[i].at && way == 1) {
            block[i].at = calloc(size, 1);
            for (size_t j = 0; j < size; j++)
                dirty |= block[i].at[j];
        } else
            block[i].at = realloc(block[i].at, size);
        NEED(block[i].at);
        misaligned += (uintptr_t)block[i].at % 16 != 0;
        block[i].size = size;
        memset(block[i].at, i & 0xff, size);
    }
    EQ(wrong, 0);
    EQ(dirty, 0);
    EQ(misaligned, 0);
    IN_CHILD("the heap after fork") {
        for (int i = 0; i < BLOCKS; i++) {
            OK(!block[i].at || intact(i));
            free(block[i].at);
        }
        OK(malloc(1 << 20) != NULL);
    }
    for (int i = 0; i < BLOCKS; i++)
        wrong += block[i].at && !intact(i);
    EQ(wrong, 0);
    volatile size_t huge = SIZE_MAX / 2 + 2;
    ERR_NULL(malloc(huge), ENOMEM);
    ERR_NULL(calloc(huge, 2), ENOMEM);
    ERR_NULL(realloc(NULL, huge), ENOMEM);
    void *p = NULL;
    EQ(posix_memalign(&p, 4096, 100), 0);
    EQ((uintptr_t)p % 4096, 0);
    EQ(posix_memalign(&p, 3, 100), EINVAL);
    errno = 77;
    free(malloc(1 << 22));
    EQ(errno, 77);
    return tap_done();
}
