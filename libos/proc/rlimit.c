// SPDX-License-Identifier: MIT
// Resource limits of the process, kept by itself: a process that lies to itself about them harms
// nobody, since what it can really take is bounded by its space bank. RLIMIT_NPROC counts other
// processes and is init's to enforce. POSIX: getrlimit(), setrlimit().
#include <core/libos.h>
#include <lx/time.h>

#define INF LX_RLIM_INFINITY
#define UNLIMITED                                                                                  \
    {                                                                                              \
        INF, INF                                                                                   \
    }
static struct lx_rlimit limits[LX_RLIM_NLIMITS] = {
    [LX_RLIMIT_CPU] = UNLIMITED,
    [LX_RLIMIT_FSIZE] = UNLIMITED,
    [LX_RLIMIT_DATA] = UNLIMITED,
    [LX_RLIMIT_STACK] = {8ull << 20, INF},
    [LX_RLIMIT_CORE] = {0, INF},
    [LX_RLIMIT_RSS] = UNLIMITED,
    [LX_RLIMIT_NPROC] = UNLIMITED,
    [LX_RLIMIT_NOFILE] = {1024, 65536},
    [LX_RLIMIT_MEMLOCK] = UNLIMITED,
    [LX_RLIMIT_AS] = UNLIMITED,
    [10] = UNLIMITED,
    [11] = UNLIMITED,
    [12] = UNLIMITED, // locks, sigpending, msgqueue
    [13] = UNLIMITED,
    [14] = UNLIMITED,
    [15] = UNLIMITED, // nice, rtprio, rttime
};

_Static_assert(sizeof(limits) == sizeof(((struct libos_kept *)0)->limit),
               "kept over a set-id exec");

uint64_t rlimit_cur(int resource)
{
    return limits[resource].cur;
}

uint64_t fd_limit(void)
{
    return limits[LX_RLIMIT_NOFILE].cur;
}

void rlimit_keep(struct libos_kept *kept)
{
    memcpy(kept->limit, limits, sizeof(limits));
}

void rlimit_inherit(const struct libos_kept *kept)
{
    memcpy(limits, kept->limit, sizeof(limits));
}

static int set_limit(uint32_t resource, uint64_t unew)
{
    struct lx_rlimit new;
    if (user_read(&new, unew, sizeof(new)) < 0)
        return -LX_EFAULT;
    if (new.cur > new.max)
        return -LX_EINVAL;
    if (new.max > limits[resource].max && proc_self()->euid != 0)
        return -LX_EPERM;
    if (resource == LX_RLIMIT_NOFILE && new.max > (1u << 20))
        return -LX_EPERM;
    if (resource == LX_RLIMIT_NPROC) {
        struct exo_msg m = {.w = {PROC_OP_NPROC, new.cur, new.max}};
        long err = server_call(H_INIT, &m);
        if (err < 0)
            return (int)err;
    }
    limits[resource] = new;
    return 0;
}

long px_prlimit64(int pid, uint32_t resource, uint64_t unew, uint64_t uold)
{
    if (resource >= LX_RLIM_NLIMITS)
        return -LX_EINVAL;
    if (pid && pid != proc_self()->pid)
        return -LX_EPERM; // limits are private to a process
    struct lx_rlimit old = limits[resource];
    int err = unew ? set_limit(resource, unew) : 0;
    if (err < 0 || !uold)
        return err;
    return user_write(uold, &old, sizeof(old));
}

long px_getrlimit(uint32_t resource, uint64_t ulimit)
{
    return px_prlimit64(0, resource, 0, ulimit);
}

long px_setrlimit(uint32_t resource, uint64_t ulimit)
{
    return px_prlimit64(0, resource, ulimit, 0);
}
