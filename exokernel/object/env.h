// SPDX-License-Identifier: MIT
// Environments, contexts, slices, endpoints: the interfaces the rest of the kernel uses.
#ifndef KERNEL_ENV_H
#define KERNEL_ENV_H

#include <object/mem.h>

struct ctx;
struct env {
    struct kobj obj;
    struct cspace caps;     // the capability table
    struct aspace *aspace;  // holds a reference
    struct bank *bank;      // pays for table pages; holds a reference
    uint32_t state;         // enum exo_env_state
    uint32_t index;         // in the exposed table
    volatile struct exo_env_info *info; // kernel's writable view
    // The rest belongs to env.c, ctx.c and endpoint.c; see there.
    TAILQ_HEAD(, ctx) contexts;
    uint32_t ncontexts;
    struct endpoint *supervisor;
    uint64_t cookie;
    TAILQ_ENTRY(env) death_link;
    uint32_t teardown_step;
    uint32_t teardown_cursor;
};

struct env *env_current(void); // on this CPU; NULL while idle
void env_begin_death(struct env *env, enum exo_death reason, uint64_t code);
int env_clear_table_page_return(struct env *env); // gives the table's pages back after cspace_clear

#endif
