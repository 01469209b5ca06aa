// SPDX-License-Identifier: MIT
//
// Faults, one a function. No program has them: tools/analyze shows this file to its analyser with
// the flags of each layer, and an analyser that does not complain on each line where it is named is
// broken, and so is the run. Its own declarations, since a layer may have no <stdlib.h>.
#include <stddef.h>

void *malloc(size_t size);
void free(void *memory);

int null_read(const int *p)
{
    if (p)
        return 1;
    return *p; // fault: gcc clang-tidy cppcheck
}

int freed_read(void)
{
    int *p = malloc(sizeof(*p));

    if (!p)
        return 0;
    *p = 1;
    free(p);
    return *p; // fault: gcc clang-tidy
}

void freed_twice(void *p)
{
    free(p);
    free(p); // fault: gcc clang-tidy cppcheck
}

int never_freed(int value)
{
    int *p = malloc(sizeof(*p));

    if (!p)
        return 0;
    *p = value;
    return value + *p; // fault: gcc clang-tidy cppcheck
}

int never_set(int n)
{
    int value;

    if (n > 3)
        value = n;
    return value; // fault: gcc clang-tidy cppcheck
}

int behind_the_end(void)
{
    int four[4] = {1, 2, 3, 4};

    return four[4]; // fault: gcc clang-tidy cppcheck
}
