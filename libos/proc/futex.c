// SPDX-License-Identifier: MIT
// futex: the kernel's wait and wake on a physical word do the work, for private and shared words
// alike.
//
// Waking costs a kernel entry only when the word's frame has sleepers.
#include <core/libos.h>
#include <lx/time.h>

#define FUTEX_WAIT        0
#define FUTEX_WAKE        1
#define FUTEX_REQUEUE     3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAKE_BITSET 10
#define FUTEX_PRIVATE     128
#define FUTEX_REALTIME    256

static long futex_deadline(uint64_t utime, int op, exo_ns_t *deadline)
{
    struct lx_timespec t;
    *deadline = EXO_NEVER;
    if (!utime)
        return 0;
    if (user_read(&t, utime, sizeof(t)) < 0)
        return -LX_EFAULT;
    if (t.sec < 0 || t.nsec < 0 || t.nsec > 999999999)
        return -LX_EINVAL;
    if ((uint64_t)t.sec > UINT32_MAX * 4ull)
        return 0;
    uint64_t ns = (uint64_t)t.sec * 1000000000 + (uint64_t)t.nsec;
    if ((op & 127) == FUTEX_WAIT) // relative
        *deadline = clock_now() + ns;
    else if (op & FUTEX_REALTIME)
        *deadline = (int64_t)ns > EXO_INFO->wall_ns ? ns - (uint64_t)EXO_INFO->wall_ns : 0;
    else
        *deadline = ns;
    return 0;
}

static long futex_wait(uint64_t addr, int op, uint32_t value, uint64_t utime)
{
    uint32_t now;
    exo_ns_t deadline;
    long err = futex_deadline(utime, op, &deadline);
    if (err < 0)
        return err;
    if (user_load32(addr, &now) < 0)
        return -LX_EFAULT;
    if (now != value)
        return -LX_EAGAIN;
    struct exo_cond same = {EXO_COND_WORD, value, addr};
    return block_wait(&same, 1, deadline);
}

long px_futex(uint64_t addr, int op, uint32_t value, uint64_t utime, uint64_t addr2,
              uint32_t value3)
{
    uint32_t now;
    (void)addr2;
    if (addr & 3)
        return -LX_EINVAL;
    switch (op & 127) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        return futex_wait(addr, op, value, utime);
    case FUTEX_CMP_REQUEUE:
        if (user_load32(addr, &now) < 0)
            return -LX_EFAULT;
        if (now != value3)
            return -LX_EAGAIN;
        value = UINT32_MAX;
        break;
    case FUTEX_REQUEUE: // waking all instead of moving some is what a requeue may do
        value = UINT32_MAX;
        break;
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        break;
    default:
        return -LX_ENOSYS;
    }
    if (user_load32(addr, &now) < 0)
        return -LX_EFAULT;
    int64_t woken = exo_wake(addr, value);
    return woken < 0 ? lx_error(woken) : woken;
}
