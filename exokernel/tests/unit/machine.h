// SPDX-License-Identifier: MIT
// A machine for the memory objects on the host: an arena for RAM, environments without contexts, a
// TLB that remembers what it was not told to forget, and every call as the running environment.
#ifndef UNIT_MACHINE_H
#define UNIT_MACHINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <core/dispatch.h>
#include <object/aspace.h>
#include <object/env.h>

#define ENVS 3
extern struct env *envs[ENVS], *current;

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

void machine_start(uint64_t frames);
exo_handle_t env_start(int i, uint64_t frames); // a bank of its own; returns the handle to it there
void env_end(int i);
void machine_drain(void); // all deferred work
// Lets the TLB cache a translation, and checks that all it has cached is still true.
void tlb_touch(struct aspace *as, uint64_t va);
void tlb_verify(void);
// A byte of the current environment's memory; -1 when it cannot be accessed so.
int byte_read(uint64_t va);
int byte_write(uint64_t va, uint8_t value);
#endif
