// SPDX-License-Identifier: MIT
// Start of the file server, and its loop.
#include "fsd.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>

static void die(const char *what, const char *why)
{
    printf("fsd: %s: %s\n", what, why);
    exit(1);
}

static void mount_root(const struct libos_start *start)
{
    struct ext_dev *dev;
    uint32_t proc, devices, pts;
    if (quota_init() < 0)
        die("the bank", "cannot be read");
    int err = dev_init(start->extra[FSD_X_ROOT], start->extra[FSD_X_ROOT_BYTES], &dev);
    if (err < 0)
        die("the root module", "cannot be mapped");
    clock_set();
    struct ext_mount_args args = {.now = vol.now};
    int64_t need = ext_mount_size(dev);
    args.mem_size = need < 0 ? 0 : (size_t)need + (1u << 20);
    args.mem = aligned_alloc(16, (args.mem_size + 15) & ~15ul);
    if (need < 0 || !args.mem)
        die("the root volume", need < 0 ? "is no ext2 volume with blocks of 4 KiB" : "no memory");
    if (ext_mount(&vol, dev, &args) < 0)
        die("the root volume", vol.why ? vol.why : "cannot be mounted");
    vol.watch = &names_watch;
    if (publish_init() < 0)
        die("the published names", "no memory");
    if (ext_lookup(&vol, EXT_ROOT_INO, "proc", 4, &proc) == 0)
        mount_add(proc, FS_MOUNT_PROC);
    if (ext_lookup(&vol, EXT_ROOT_INO, "dev", 3, &devices) == 0 &&
        ext_lookup(&vol, devices, "pts", 3, &pts) == 0)
        mount_add(pts, FS_MOUNT_PTS);
}

static void announce(void)
{
    if (open_init() < 0)
        die("endpoint", "no memory");
    struct exo_msg m = {.meta = EXO_META(0, 1), .w = {PROC_OP_SERVICE, SERVER_FSD}};
    CTX->send[0] = (struct exo_send){endpoint, EXO_R_CALL, EXO_SEND_DERIVE};
    int64_t err = exo_call(H_INIT, &m);
    if (err < 0 || m.w[0])
        die("init", "does not take the service");
}

// Answers the last call, if m says so, and takes the next event. 0 or a negative kernel error. An
// answer that could not be given is an error too, and then there is no event.
static int64_t next_event(struct exo_msg *m)
{
    exo_ns_t deadline = reap_pending() ? 0 : locks_deadline();
    bool answers = !(m->meta & EXO_REPLY_NONE);
    int64_t err = exo_reply_wait(endpoint, m, deadline);
    bool arrived = err >= 0 || err == -EXO_ETIMEDOUT;
    if (!arrived && !answers)
        die("endpoint", exo_error_text(err));
    open_delivered(arrived);
    return err;
}

int main(void)
{
    const struct libos_start *start = (const void *)getauxval(AT_EXO_START);
    struct exo_msg m = {.meta = EXO_REPLY_NONE};
    if (!start)
        die("start", "not started by init");
    mount_root(start);
    announce();
    giveback_init();
    CTX->recv_max = EXO_MSG_CAPS;
    for (;;) {
        int64_t err = next_event(&m);
        if (err == 0 && CTX->in_kind == EXO_EV_CALL) {
            serve_call(&m);
        } else {
            if (err == 0 && CTX->in_kind == EXO_EV_CHILDLESS) {
                clock_set();
                open_childless(CTX->in_handle);
            }
            if (err == 0 && CTX->in_kind == EXO_EV_NOTIFY)
                giveback_notified(__atomic_exchange_n(&CTX->pending, 0, __ATOMIC_SEQ_CST));
            m = (struct exo_msg){.meta = EXO_REPLY_NONE};
        }
        giveback_step();
        reap_step();
        locks_sweep();
    }
}
