// SPDX-License-Identifier: MIT
//
// What the model checker tells apart, and the one thing it calls. See core.c.
#ifndef CAPS_TESTS_MODELS_CORE_H
#define CAPS_TESTS_MODELS_CORE_H

#include <stdbool.h>
#include <stdint.h>

#define ALL (TABLES * SLOTS)

// Of a slot. Slots are numbered from 1, table by table; 0 is none.
enum { WINDOW = 1, NOTIFY = 2, REVOKING = 4, RETIRED = 8, BADGE = 16 };

// The whole state of the system, of bytes so that equal states are equal memory. `order` has an
// object's slots, ancestors first and siblings as they stand in its list.
struct shape {
    uint8_t order[OBJECTS][ALL];
    uint8_t scan[OBJECTS]; // 0: none; 2 * slot: its opening mark; 2 * slot + 1: its closing mark
    uint8_t dying[OBJECTS];
    uint8_t parent[ALL + 1];
    uint8_t obj[ALL + 1]; // object + 1, 0: vacant
    uint8_t rights[ALL + 1];
    uint8_t bits[ALL + 1];
    uint8_t gen[ALL + 1]; // above the first
};

extern struct shape shape;
extern bool core_wrong; // from the first error on: whatever is tried next fails

enum kind { ROOT, DERIVE, COPY, DELETE, REVOKE, REVOKE_ALL, CLEAR, CLONE, FLAG };

struct op {
    enum kind kind;
    int a, b;        // slots, an object, a table
    uint32_t rights; // or what else there is to say
    int extra;       // a badge or a budget
};

// The specification, spec.c: the new shape, and what the operation returns.
int spec(struct shape *sh, const struct op *op);
bool spec_parent(const struct shape *sh, int of);   // whether it has children
bool spec_condemned(const struct shape *sh, int s); // by an unfinished revocation
void spec_delete(struct shape *sh, int s);

void core_setup(void);
void core_step(int op); // 0 <= op < OPS

#endif
