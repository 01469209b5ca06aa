// SPDX-License-Identifier: MIT
// The name of the program that runs (exename.c).
#ifndef PROC_EXENAME_H
#define PROC_EXENAME_H
#include <core/libos.h>

struct file;

// The name of a program opened as `path`, in the heap; NULL when memory is short or it is too long.
char *exe_name_of(const char *path, const struct file *file);
void exe_set(const char *name);
const char *exe_path(void); // as set
// Without symbolic links, as readlink: not terminated; its length, or -LX_E...
long exe_readlink(char *target, size_t max);

#endif
