// SPDX-License-Identifier: MIT
//
// The model comparison with a generator instead of a fuzzer: the same operations on every
// machine. Arguments: number of operations, seed. See model.h.

#include "model.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct choices c = {
        .ops = argc > 1 ? strtoul(argv[1], NULL, 0) : 200000,
        .state = argc > 2 ? strtoull(argv[2], NULL, 0) : 20240101,
    };
    size_t left = c.ops;

    while (left) {
        size_t n = left < 2000 ? left : 2000;

        c.ops = n;
        model_run(&c);
        left -= n;
    }
    printf("ok\n");
    return 0;
}
