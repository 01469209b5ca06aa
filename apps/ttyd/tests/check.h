// SPDX-License-Identifier: MIT
// Checks for host tests: each failure prints where and what and goes on; check_done() is the
// status.
#ifndef TTYD_CHECK_H
#define TTYD_CHECK_H

#include <stdio.h>
#include <string.h>

static int check_failures, check_count;

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        check_count++;                                                                             \
        if (!(cond)) {                                                                             \
            check_failures++;                                                                      \
            fprintf(stderr, "%s:%d: %s: failed: %s\n", __FILE__, __LINE__, __func__, #cond);       \
        }                                                                                          \
    } while (0)

#define CHECK_EQ(got, want)                                                                        \
    do {                                                                                           \
        long long got_ = (long long)(got), want_ = (long long)(want);                              \
        check_count++;                                                                             \
        if (got_ != want_) {                                                                       \
            check_failures++;                                                                      \
            fprintf(stderr, "%s:%d: %s: %s is %lld, not %lld\n", __FILE__, __LINE__, __func__,     \
                    #got, got_, want_);                                                            \
        }                                                                                          \
    } while (0)

static inline void check_print(const char *what, const void *bytes, size_t n)
{
    fprintf(stderr, "  %s (%zu): ", what, n);
    for (size_t i = 0; i < n && i < 200; i++) {
        unsigned char c = ((const unsigned char *)bytes)[i];
        fprintf(stderr, c >= 0x20 && c < 0x7f && c != '\\' ? "%c" : "\\x%02x", c);
    }
    fprintf(stderr, "\n");
}

static inline void check_bytes(const char *file, int line, const void *got, size_t ngot,
                               const void *want, size_t nwant)
{
    check_count++;
    if (ngot == nwant && memcmp(got, want, nwant) == 0) {
        return;
    }
    check_failures++;
    fprintf(stderr, "%s:%d: bytes differ\n", file, line);
    check_print("got ", got, ngot);
    check_print("want", want, nwant);
}
#define CHECK_STR(got, ngot, want)                                                                 \
    check_bytes(__FILE__, __LINE__, got, ngot, want, sizeof(want) - 1)

static inline int check_done(void)
{
    printf("%d checks, %d failures\n", check_count, check_failures);
    return check_failures != 0;
}

#endif
