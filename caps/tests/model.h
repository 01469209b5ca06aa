// SPDX-License-Identifier: MIT
//
// Runs a stream of choices as operations on a few tables and objects, in the implementation and
// in a naive model, and compares the two after every operation. Where the implementation may
// choose which slots go first (bounded revocation), the model follows it, but only slots that
// were condemned before the operation may go, and the number of them must be right.
#ifndef CAPS_TESTS_MODEL_H
#define CAPS_TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A source of choices: bytes from a fuzzer, or a generator when bytes is NULL.
struct choices {
    const uint8_t *bytes;
    size_t left;
    uint64_t state; // of the generator
    size_t ops;     // operations left for the generator
};

uint32_t choose(struct choices *c, uint32_t below);
uint32_t choose_budget(struct choices *c);                // of a bounded operation, sometimes ample
uint32_t choose_rights(struct choices *c, uint32_t from); // mostly some of these
bool choices_left(struct choices *c);

// Aborts with a message at the first difference. Returns the number of operations done.
size_t model_run(struct choices *choices);

#endif
