// SPDX-License-Identifier: MIT
//
// mlock, munlock, mlockall, munlockall: what is locked cannot be invalidated (msync with
// MS_INVALIDATE fails with EBUSY), and can again when unlocked; unmapped memory cannot be locked.
#include "tap.h"
#include <sys/mman.h>
#include <sys/resource.h>

int main(void)
{
    enum { PAGE = 4096 };

    tap_start();
    char *m = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(m != MAP_FAILED);
    EQ(msync(m, PAGE, MS_SYNC | MS_INVALIDATE), 0);
    EQ(mlock(m + PAGE, PAGE), 0);
    ERR(msync(m, 4 * PAGE, MS_SYNC | MS_INVALIDATE), EBUSY);
    ERR(msync(m + PAGE, PAGE, MS_ASYNC | MS_INVALIDATE), EBUSY);
    EQ(msync(m, PAGE, MS_SYNC | MS_INVALIDATE), 0);
    EQ(msync(m + PAGE, PAGE, MS_SYNC), 0);
    EQ(munlock(m + PAGE, PAGE), 0);
    EQ(msync(m, 4 * PAGE, MS_SYNC | MS_INVALIDATE), 0);
    SYS(munmap(m + 3 * PAGE, PAGE));
    ERR(mlock(m + 2 * PAGE, 2 * PAGE), ENOMEM);

    ERR(mlockall(0), EINVAL);
    if (geteuid())
        tap_skip("mlockall", "only root may lock everything");
    else {
        EQ(mlockall(MCL_CURRENT), 0);
        ERR(msync(m, PAGE, MS_SYNC | MS_INVALIDATE), EBUSY);
        EQ(munlockall(), 0);
        EQ(msync(m, PAGE, MS_SYNC | MS_INVALIDATE), 0);
    }
    return tap_done();
}
