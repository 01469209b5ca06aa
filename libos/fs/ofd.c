// SPDX-License-Identifier: MIT
// Open-file state: offset and status flags of an open file description.
//
// Private until the first fork; then a page of its own, writable by exactly the processes that hold
// the description (invariant: one object, one allocation, one capability). A sharer may write any
// nonsense into it: the offset is bounded by whoever uses it, the flags are masked when read.
#include <fs/file.h>

int ofd_share(struct file *file)
{
    if (file->state_cap || file->ops->kind == FD_KIND_DEV || file->ops == &log_ops)
        return 0;
    int64_t cap = frames_buy(1);
    if (cap < 0)
        return lx_error(cap);
    void *page;
    int err = window_map((exo_handle_t)cap, 0, 1, EXO_R_READ | EXO_R_WRITE, &page);
    if (err < 0) {
        exo_cap_delete((exo_handle_t)cap);
        return err;
    }
    struct ofd_state *shared = page;
    *shared = *file->state;
    file->state = shared;
    file->state_cap = (exo_handle_t)cap;
    return 0;
}
