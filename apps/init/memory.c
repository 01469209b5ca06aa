// SPDX-License-Identifier: MIT
// Memory that is short in one place and left in another: between the bank of the processes, that of
// the file server, and those of jobs.
//
// Both got a share at the start, and each keeps half of it whatever the other needs. Who has run
// out gets first what the other has left, at once. If that is not enough, the file server is asked
// to give back what it keeps for the sake of speed: bank_reclaim, which tells it by upcall. It
// answers soon, by having freed enough or by saying that there is no more (PROC_OP_KEEP), or its
// time is over; then the request is withdrawn, because a bank that owes sells nothing. The file
// server is never forced: it holds the files. The one who needs the memory asks again meanwhile, so
// init waits for nobody. When the file server has no more, jobs lend what they do not use; what
// they have bought is theirs, and they get the rest again when they need it and it is there.
#include "init.h"

#define MARGIN     256u // frames that stay free in the bank of the processes
#define JOB_MARGIN 64u  // and in that of a job
#define GRACE_NS   200000000ull
#define REFUSED_NS 100000000ull // after it has said no, it is not asked for so long

struct pool {
    exo_handle_t bank;
    uint64_t floor;      // frames
    bool keeper;         // may be asked; otherwise it gives what it has left
    exo_ns_t grace_over; // it has been asked, 0: it is not
    exo_ns_t refused_until;
};
static struct pool users, files;

static struct exo_cap_info state_of(exo_handle_t bank)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    exo_cap_identify(bank, &info);
    return info;
}

static uint64_t room(const struct exo_cap_info *b)
{
    uint64_t gone = b->used + b->debt.frames;
    return gone < b->length ? b->length - gone : 0;
}

void memory_init(exo_handle_t fsd_bank)
{
    users = (struct pool){.bank = own.user_bank, .floor = state_of(own.user_bank).length / 2};
    files = (struct pool){.bank = fsd_bank, .floor = state_of(fsd_bank).length / 2, .keeper = true};
}

static void withdraw(struct pool *from)
{
    exo_bank_reclaim(from->bank, UINT64_MAX, 0, 0);
    from->grace_over = 0;
}

// Lowers `from` by `need`, which it can spare, and gives `to` what came of it. 0: all of it.
static int64_t shift(struct pool *from, struct pool *to, uint64_t need)
{
    struct exo_cap_info before = state_of(from->bank);
    int64_t r = exo_bank_reclaim(from->bank, before.length - need, GRACE_NS, 0);
    uint64_t got = before.length - state_of(from->bank).length;
    if (got)
        exo_bank_grant(own.bank, to->bank, got);
    return r;
}

static bool may_ask(struct pool *from)
{
    exo_ns_t now = exo_clock_ns();
    if (!from->keeper || now < from->refused_until)
        return false;
    if (!from->grace_over)
        from->grace_over = now + GRACE_NS;
    if (now < from->grace_over)
        return true;
    from->refused_until = now + REFUSED_NS;
    return false;
}

static long more(struct pool *to, struct pool *from, uint64_t need)
{
    struct exo_cap_info have = state_of(to->bank), other = state_of(from->bank);
    if (room(&have) >= need)
        return 0;
    need -= room(&have);
    if (other.length < from->floor || other.length - from->floor < need)
        return -LX_ENOMEM;
    if (!from->keeper && room(&other) < need + MARGIN)
        return -LX_ENOMEM;
    if (shift(from, to, need) == 0) {
        from->grace_over = 0;
        return 0;
    }
    if (may_ask(from))
        return -LX_EAGAIN;
    withdraw(from);
    return -LX_ENOMEM;
}

// Jobs lend what they do not use, but for a margin, to whoever they were split from. A keeper among
// them need not be asked for that.
static bool jobs_lend(uint64_t need)
{
    struct job *j;
    bool lent = false;
    LIST_FOREACH (j, &jobs, link) {
        struct exo_cap_info have = state_of(j->bank);
        uint64_t spare = room(&have), part;
        if (spare <= JOB_MARGIN)
            continue;
        part = spare - JOB_MARGIN < need ? spare - JOB_MARGIN : need;
        lent |= exo_bank_reclaim(j->bank, have.length - part, 0, 0) == 0;
    }
    return lent;
}

static long memory_outside(uint64_t frames)
{
    long r = more(&users, &files, frames);
    return r == -LX_ENOMEM && jobs_lend(frames) ? more(&users, &files, frames) : r;
}

// A job gets back what it has lent, from where it went.
// NOLINTNEXTLINE(misc-no-recursion): as deep as jobs nest, DEPTH_MAX
static long memory_for_job(const struct job *j, uint64_t frames)
{
    struct exo_cap_info have = state_of(j->bank);
    if (room(&have) >= frames)
        return 0;
    uint64_t missing = frames - room(&have);
    if (have.length >= j->size || j->size - have.length < missing)
        return -LX_ENOMEM;
    long r = j->outer ? memory_for_job(j->outer, missing) : memory_outside(missing);
    if (r)
        return r;
    return exo_bank_grant(job_bank(j->outer), j->bank, missing) < 0 ? -LX_ENOMEM : 0;
}

long memory_for_process(const struct proc *p, uint64_t frames)
{
    return p->job ? memory_for_job(p->job, frames) : memory_outside(frames);
}

long memory_for_files(uint64_t frames)
{
    withdraw(&files); // who asked for it may be gone, and now it is short itself
    return more(&files, &users, frames);
}

long memory_kept(void)
{
    withdraw(&files);
    files.refused_until = exo_clock_ns() + REFUSED_NS;
    return 0;
}
