// SPDX-License-Identifier: MIT
//
// The extensions of <exo/libos.h>: thin layers over kernel calls and init's protocol.
#include <exo/domain.h>
#include <exo/libos.h>
#include <proto/proc.h>
#include <proto/start.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

exo_handle_t libos_bank(void)
{
    return H_BANK;
}

static struct exo_ctx *own_ctx(void)
{
    struct exo_ctx *ctx;
    __asm__("mov %%gs:0x08, %0" : "=r"(ctx));
    return ctx;
}

int64_t libos_peer(pid_t pid)
{
    struct exo_ctx *ctx = own_ctx();
    struct exo_msg m;
    int64_t err;
    do { // a signal that comes before init has seen the call ends it
        memset(ctx->recv, 0, sizeof(ctx->recv));
        m = (struct exo_msg){.w = {PROC_OP_PEER, (uint64_t)(int64_t)pid}};
        err = exo_call(H_INIT, &m);
    } while (err == -EXO_EINTR);
    if (err < 0)
        return err;
    return (int64_t)m.w[0] < 0 ? (int64_t)m.w[0] : (int64_t)ctx->recv[0];
}

int64_t libos_yield_to(exo_handle_t peer, exo_ns_t ns)
{
    return exo_ctx_yield(peer, 0, ns);
}

int64_t libos_share_memory(size_t bytes, void **address)
{
    uint64_t pages = (bytes + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE;
    if (!pages)
        return -EXO_EINVAL;
    int64_t cap = exo_frames_alloc(H_BANK, pages, 0, 0);
    if (cap < 0)
        return cap;
    *address = exo_map((exo_handle_t)cap, 0, pages, EXO_R_READ | EXO_R_WRITE);
    if (*address)
        return cap;
    exo_cap_delete((exo_handle_t)cap);
    return -EXO_ENOMEM;
}

int64_t libos_fast_call(exo_handle_t endpoint, struct exo_msg *m)
{
    m->meta = 0;
    return exo_call(endpoint, m);
}

int libos_limit(uint64_t frames)
{
    struct exo_msg m = {.w = {PROC_OP_LIMIT, frames}};
    int64_t err = exo_call(H_INIT, &m);
    return err < 0 ? -EIO : (int)m.w[0];
}

static void (*volatile revoke_give_back)(const struct exo_bank_debt *debt);
static volatile exo_handle_t revoke_bank;

static void on_revoke(int signo)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    void (*give_back)(const struct exo_bank_debt *debt) = revoke_give_back;
    (void)signo;
    if (give_back && exo_cap_identify(revoke_bank, &info) >= 0)
        give_back(&info.debt);
}

int64_t libos_on_revoke(exo_handle_t bank, void (*give_back)(const struct exo_bank_debt *debt))
{
    struct sigaction action = {.sa_handler = give_back ? on_revoke : SIG_IGN};
    if (revoke_bank)
        exo_bank_keep(revoke_bank, 0);
    revoke_bank = bank;
    revoke_give_back = give_back;
    sigaction(SIGPWR, &action, NULL);
    return give_back ? exo_bank_keep(bank, 1ull << (SIGPWR - 1)) : 0;
}
