// SPDX-License-Identifier: MIT
//
// Calling servers, waiting, and the clock.
#include <core/core.h>
#include <proto/clock.h>

static const int16_t exo_to_lx[] = {
    [EXO_EBADHANDLE] = LX_EIO,      [EXO_ETYPE] = LX_EIO,     [EXO_ERIGHTS] = LX_EPERM,
    [EXO_EINVAL] = LX_EINVAL,       [EXO_EFAULT] = LX_EFAULT, [EXO_ENOMEM] = LX_ENOMEM,
    [EXO_ENOSLOT] = LX_ENFILE,      [EXO_EAGAIN] = LX_EAGAIN, [EXO_EINTR] = LX_EINTR,
    [EXO_ETIMEDOUT] = LX_ETIMEDOUT, [EXO_EDEAD] = LX_EIO,     [EXO_EEXISTS] = LX_EEXIST,
    [EXO_EBUSY] = LX_EBUSY,         [EXO_ENOENT] = LX_ENOENT, [EXO_ECHANGED] = LX_EAGAIN,
    [EXO_ENOSYS] = LX_ENOSYS,       [EXO_ELIMIT] = LX_EINVAL,
};

int lx_error(int64_t exo)
{
    if (exo >= 0)
        return (int)exo;
    uint64_t n = (uint64_t)-exo;
    if (n >= sizeof exo_to_lx / sizeof exo_to_lx[0] || !exo_to_lx[n])
        return -LX_EIO;
    return -exo_to_lx[n];
}

// A call that was interrupted before the server took it is made again: servers answer at once.
// Taking the pending bits lets it through.
long server_call(exo_handle_t endpoint, struct exo_msg *m)
{
    struct exo_msg request = *m;
    int64_t error;
    while ((error = exo_call(endpoint, m)) == -EXO_EINTR) {
        sig_interrupts();
        *m = request;
    }
    return error ? -LX_EIO : (long)m->w[0];
}

// A word that no longer holds, or cannot be read, ends the wait.
static bool holds(const struct exo_cond *c)
{
    uint32_t now;
    if (c->kind != EXO_COND_WORD)
        return true;
    return user_load32(c->va, &now) == 0 && now == c->value;
}

#define WAIT_MAX 64
#define LOOK_NS  10000000ull // with more conditions than the kernel takes: look again this often

int block_wait(const struct exo_cond *conds, unsigned n, exo_ns_t deadline)
{
    for (;;) {
        if (sig_interrupts())
            return -ERESTARTSYS;
        exo_ns_t until = deadline;
        if (n > WAIT_MAX) {
            for (unsigned i = WAIT_MAX; i < n; i++)
                if (!holds(&conds[i]))
                    return 0;
            exo_ns_t soon = clock_now() + LOOK_NS;
            until = soon < deadline ? soon : deadline;
        }
        int64_t r = wait_quietly(conds, n < WAIT_MAX ? n : WAIT_MAX, until);
        if (r == -EXO_EINTR)
            continue;
        if (r != -EXO_ETIMEDOUT)
            return 0;
        if (until == deadline)
            return -LX_ETIMEDOUT;
    }
}

exo_ns_t clock_now(void)
{
    return exo_clock_now();
}
