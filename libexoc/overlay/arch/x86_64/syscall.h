// SPDX-License-Identifier: MIT
/*
 * Found before musl's internal header of the same name, which it includes and changes in one point:
 * a cancellation point is an ordinary call in a program that has no pthread_cancel(). musl decides
 * the same by a weak function that all cancellation points go through, with seven arguments to be
 * moved twice; here each decides for itself, by whether the range is linked in that musl's
 * cancellation compares addresses with.
 */
#ifndef EXOC_SYSCALL_H
#define EXOC_SYSCALL_H
#include_next <syscall.h>

extern __attribute__((__weak__, __visibility__("hidden"))) const char __cp_begin[1];

#undef __syscall_cp
#define __syscall_cp(...)                                                                          \
    (__cp_begin ? __SYSCALL_DISP(__syscall_cp, __VA_ARGS__) : __syscall(__VA_ARGS__))
#endif
