// SPDX-License-Identifier: MIT
// Jobs: processes that live from a bank of their own, split from that of whoever wanted it so.
//
// A process makes a job for what it forks from then on; that is the job's owner, and is not in it.
// Children are in the job of their parent, and jobs may nest. All that a job's processes buy, and
// the processes themselves, are paid by its bank: it runs out alone. A job has CPU time of its own,
// too. When the owner dies, so does everything in the job: new processes come from init alone, so
// one walk over the table finds them all. The last one's end destroys the bank, and with it
// whatever environments they made of their own in banks they had split off.
#include "init.h"
#include <stdlib.h>

#define JOB_RIGHTS  (EXO_R_READ | EXO_R_BUY | EXO_R_DERIVE | EXO_R_BIND)
#define DEPTH_MAX   16 // jobs within jobs
#define JOB_NUMBERS 0x80000000u

struct job_list jobs = LIST_HEAD_INITIALIZER(jobs);

struct job *job_of_children(const struct proc *parent)
{
    return parent->makes ? parent->makes : parent->job;
}

exo_handle_t job_bank(const struct job *j)
{
    return j ? j->bank : own.user_bank;
}

uint32_t job_bank_rights(const struct job *j)
{
    return j ? JOB_RIGHTS : EXO_R_READ | EXO_R_BUY;
}

exo_handle_t job_slice(const struct job *j)
{
    return j ? j->slice : own.slice;
}

// A quarter of what it is split from, so that what runs outside is not slowed down by the number of
// processes within; time that others do not use is the job's all the same. When it cannot be split
// it is shared.
static void slice_take(struct job *j)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    j->slice = job_slice(j->outer);
    if (exo_cap_identify(j->slice, &info) < 0 || info.length < 4)
        return;
    int64_t part = exo_slice_split(j->slice, info.length / 4);
    j->own_slice = part > 0;
    if (part > 0)
        j->slice = (exo_handle_t)part;
}

static void job_put(struct job *j)
{
    while (j && --j->refs == 0) {
        struct job *outer = j->outer;
        LIST_REMOVE(j, link);
        while (exo_bank_destroy(j->bank) == -EXO_EAGAIN)
            ;
        if (j->own_slice)
            exo_cap_delete(j->slice);
        free(j);
        j = outer;
    }
}

static uint32_t last_number;

long job_make(struct proc *owner, uint64_t frames)
{
    unsigned depth = owner->job ? owner->job->depth + 1 : 1;
    struct job *j = depth > DEPTH_MAX ? NULL : calloc(1, sizeof(*j));
    int64_t bank = j ? exo_bank_split(job_bank(owner->job), frames) : -EXO_ENOMEM;
    if (bank < 0) {
        free(j);
        return bank == -EXO_ENOMEM ? -LX_ENOMEM : -LX_EINVAL;
    }
    job_owner_gone(owner); // of the one before
    *j = (struct job){
        .bank = (exo_handle_t)bank, .size = frames, .outer = owner->job, .depth = depth, .refs = 1};
    LIST_INSERT_HEAD(&jobs, j, link);
    if (j->outer)
        j->outer->refs++;
    slice_take(j);
    j->number = ++last_number | JOB_NUMBERS;
    owner->makes = j;
    return 0;
}

void job_join(struct proc *p, struct job *j)
{
    p->job = j;
    p->rec->job = j ? j->number : 0;
    if (j)
        j->refs++;
}

void job_leave(struct proc *p)
{
    job_put(p->job);
    p->job = NULL;
}

static bool within(const struct job *j, const struct job *outer)
{
    for (; j; j = j->outer)
        if (j == outer)
            return true;
    return false;
}

void job_owner_gone(struct proc *owner)
{
    struct job *j = owner->makes;
    struct proc *p;
    owner->makes = NULL;
    if (!j)
        return;
    TAILQ_FOREACH (p, &procs, all) {
        if (within(p->job, j) && p->rec->state != PROC_ZOMBIE)
            exo_env_kill(p->env, LX_SIGKILL, 0);
    }
    job_put(j);
}
