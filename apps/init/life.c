// SPDX-License-Identifier: MIT
// Birth and death of processes.
//
// Birth. The embryo (pid, record, empty environment and address space) comes first, so that a
// signal sent to it from then on is kept (the kernel keeps notification bits for the first
// context). The parent fills it by cloning and says START. An embryo whose parent dies goes with
// it.
//
// Death comes as an event from the kernel, when the environment's teardown is complete: all its
// capabilities are gone, so the other ends of its pipes know already. Nothing a dying process does
// or does not do matters.
//
// Set-id programs run in a fresh environment that only init and its own trusted libOS ever held;
// the record (and so the pid) moves to it. The libOS there reads the file's mode from fsd and
// claims the ids; it is believed because no other code has run there.
#include "init.h"
#include <proto/tty.h>
#include <stdlib.h>
#include <string.h>

struct corpse { // an environment that was left for another: only its capability is still to be
                // dropped
    LIST_ENTRY(corpse) link;
    uint64_t cookie;
    exo_handle_t env;
};
static LIST_HEAD(, corpse) corpses = LIST_HEAD_INITIALIZER(corpses);

static struct exo_ctx *ctx(void)
{
    return (struct exo_ctx *)EXO_BOOT_CTX_VA;
}

// --- birth ---------------------------------------------------------------------------------------

// The environment, its address space and, in a new job, bank and CPU time in its slots. 0 or a
// negative kernel error.
static int64_t embryo_buy(const struct proc *caller, uint64_t cookie, exo_handle_t *env,
                          exo_handle_t *aspace)
{
    const struct job *job = job_of_children(caller);
    exo_handle_t bank = job_bank(job);
    int64_t as = exo_aspace_create(bank);
    if (as < 0)
        return as;
    int64_t made = exo_env_create(bank, (exo_handle_t)as, own.endpoint, cookie);
    int64_t err = made;
    if (made > 0 && caller->makes)
        err = exo_cap_copy(bank, job_bank_rights(job), (exo_handle_t)made, 1);
    if (err > 0 && caller->makes)
        err = exo_cap_copy(job_slice(job), EXO_R_BIND, (exo_handle_t)made, 5);
    *env = (exo_handle_t)made;
    *aspace = (exo_handle_t)as;
    if (err > 0)
        return 0;
    if (made > 0)
        exo_cap_delete(*env);
    exo_cap_delete(*aspace);
    return err;
}

// The embryo that the answer on its way is about, and its address space, still ours to give.
static struct {
    uint64_t cookie;
    exo_handle_t aspace;
} newborn;

// Nobody else can ever hold what did not arrive: the caller died, or would not take it.
void life_answered(bool arrived)
{
    struct proc *p = proc_by_pid((int)(newborn.cookie & 0xffff));
    if (newborn.aspace && !arrived) {
        exo_cap_delete(newborn.aspace);
        if (p && p->cookie == newborn.cookie)
            exo_env_kill(p->env, 0, 0);
    }
    newborn.aspace = 0;
}

long life_fork(struct proc *caller, struct exo_msg *m)
{
    exo_handle_t env, aspace;
    int pid = ids_may_fork(caller) ? pid_new() : 0;
    uint64_t cookie = cookie_new(pid);
    int64_t err = pid ? embryo_buy(caller, cookie, &env, &aspace) : -EXO_ELIMIT;
    if (err < 0)
        return err == -EXO_ENOMEM ? -LX_ENOMEM : -LX_EAGAIN;
    struct proc *p = proc_new(caller, env, cookie);
    if (!p) {
        exo_env_kill(env, 0, 0);
        exo_cap_delete(env);
        exo_cap_delete(aspace);
        return -LX_EAGAIN;
    }
    job_join(p, job_of_children(caller));
    ctx()->send[0] = (struct exo_send){p->env, EXO_R_CONTROL, EXO_SEND_DERIVE};
    ctx()->send[1] = (struct exo_send){aspace, EXO_R_READ | EXO_R_WRITE, EXO_SEND_MOVE};
    m->meta = EXO_META(0, 2);
    if (caller->makes) {
        ctx()->send[2] = (struct exo_send){job_bank(p->job), EXO_R_BUY, EXO_SEND_DERIVE};
        ctx()->send[3] = (struct exo_send){job_slice(p->job), EXO_R_BIND, EXO_SEND_DERIVE};
        m->meta = EXO_META(0, 4);
    }
    m->w[1] = p->index;
    newborn.cookie = cookie;
    newborn.aspace = aspace;
    return p->pid;
}

// It has not run yet: START is only the parent's word, and the parent may have died before it gave
// the child CPU time.
static bool unborn(const struct proc *p)
{
    return p->rec->state == PROC_EMBRYO || EXO_ENVS[p->index].state == EXO_ENV_NEW;
}

static struct proc *embryo_of(struct proc *caller, int pid)
{
    struct proc *p = proc_by_pid(pid);
    return p && p->parent == caller && unborn(p) ? p : NULL;
}

long life_start(struct proc *caller, int pid)
{
    struct proc *p = embryo_of(caller, pid);
    if (!p)
        return -LX_ESRCH;
    p->rec->state = PROC_RUNNING;
    return 0;
}

long life_abort(struct proc *caller, int pid)
{
    struct proc *p = embryo_of(caller, pid);
    if (!p)
        return -LX_ESRCH;
    p->rec->state = PROC_EMBRYO; // nobody waits for it
    exo_env_kill(p->env, 0, 0);
    return 0;
}

struct proc *life_first(struct proc *parent, const char *path, char *const argv[],
                        char *const envp[], const uint64_t extra[8],
                        const struct exo_slot_fill *more, unsigned nmore)
{
    size_t bytes;
    struct exo_slot_fill slots[16];
    struct libos_start *start = start_pack(path, argv, envp, &bytes);
    uint64_t cookie = cookie_new(pid_new());
    exo_handle_t env;
    if (!start)
        return NULL;
    memcpy(start->extra, extra, sizeof(start->extra));
    struct exo_domain d = domain_for(own.user_bank, job_bank_rights(NULL), own.slice, cookie);
    memcpy(slots, d.slots, d.nslots * sizeof(slots[0]));
    for (unsigned i = 0; i < nmore; i++)
        slots[d.nslots++] = more[i];
    d.slots = slots;
    d.start = start;
    d.start_bytes = bytes;
    struct proc *p = NULL;
    if (exo_domain_create(&d, &env) >= 0 && (p = proc_new(parent, env, cookie))) {
        p->rec->state = PROC_RUNNING;
        p->pristine = true;
        if (exo_domain_start(&d, env) < 0)
            exo_env_kill(env, LX_SIGKILL, 0);
    }
    free(start);
    return p;
}

// The program's name, as tools show it.
long life_execed(struct proc *p, const char *message, size_t bytes)
{
    if (bytes < sizeof(p->rec->comm))
        return -LX_EINVAL;
    rec_begin(p);
    memcpy(p->rec->comm, message, sizeof(p->rec->comm));
    p->rec->comm[sizeof(p->rec->comm) - 1] = 0;
    size_t n = bytes - sizeof(p->rec->comm);
    memset(p->rec->cmdline, 0, sizeof(p->rec->cmdline));
    memcpy(p->rec->cmdline, message + sizeof(p->rec->comm),
           n < sizeof(p->rec->cmdline) ? n : sizeof(p->rec->cmdline));
    p->rec->flags |= PROC_F_EXECED;
    rec_end(p);
    p->pristine = false;
    return 0;
}

// --- set-id programs -----------------------------------------------------------------------------

// Descriptors that a process hands over for its set-id exec. They lie in our table until then, so
// what one user, and all but root together, can have lie there is limited; who is over that is
// asked to try again.
#define GIFTS_USER  (LIBOS_START_FDS_MAX + 64u)
#define GIFTS_USERS (4u * LIBOS_START_FDS_MAX)

static void gift_clear(struct proc *p)
{
    for (uint32_t fd = 0; fd < p->ngifts; fd++) {
        for (int i = 0; i < 4; i++) {
            if (p->gift[fd][i])
                exo_cap_delete(p->gift[fd][i]);
        }
    }
    free(p->gift);
    p->gift = NULL;
    p->ngifts = 0;
}

static bool gift_fits(const struct proc *p)
{
    const struct proc *other;
    uint32_t user = 0, all = 0;
    if (p->rec->ruid == 0)
        return true;
    TAILQ_FOREACH (other, &procs, all) {
        all += other->rec->ruid ? other->ngifts : 0;
        user += other->rec->ruid == p->rec->ruid ? other->ngifts : 0;
    }
    return user < GIFTS_USER && all < GIFTS_USERS;
}

// Slots come in order; slot 0 begins.
long life_setid_give(struct proc *p, struct exo_msg *m)
{
    uint64_t slot = m->w[1], places = m->w[2];
    if (slot == 0)
        gift_clear(p);
    if (slot >= LIBOS_START_FDS_MAX || slot != p->ngifts)
        return -LX_EINVAL;
    void *more = gift_fits(p) ? realloc(p->gift, (slot + 1) * sizeof(p->gift[0])) : NULL;
    if (!more)
        return -LX_EAGAIN;
    p->gift = more;
    p->ngifts = (uint32_t)slot + 1;
    for (int i = 0, k = 0; i < 4; i++) {
        p->gift[slot][i] = 0;
        if (!(places >> i & 1))
            continue;
        p->gift[slot][i] = ctx()->recv[k];
        ctx()->recv[k++] = 0;
    }
    return 0;
}

static int64_t copy_whole(exo_handle_t cap, exo_handle_t env)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    int64_t err = exo_cap_identify(cap, &info);
    return err < 0 ? err : exo_cap_copy(cap, info.rights, env, 0);
}

// Copies the gifts into the new environment and writes their handles into the start block.
static int give_descriptors(const struct proc *p, exo_handle_t env, struct libos_start *s)
{
    struct libos_start_fd *fds = (struct libos_start_fd *)((char *)s + s->fds);
    if (s->nfds > p->ngifts)
        return -1;
    for (uint32_t i = 0; i < s->nfds; i++) {
        for (int k = 0; k < 4; k++) {
            int64_t h = p->gift[i][k] ? copy_whole(p->gift[i][k], env) : 0;
            if (h < 0)
                return -1;
            fds[i].cap[k] = (exo_handle_t)h;
        }
    }
    return 0;
}

#define START_PAGES_MAX 256

// What the library OS there will read without looking twice: the descriptors lie inside, and there
// are as many strings as it will step over.
static bool start_good(const struct libos_start *s, uint64_t bytes)
{
    uint64_t strings = 0;
    if (s->magic != LIBOS_START_MAGIC || s->size != sizeof(*s) || s->strings >= bytes ||
        s->strings_size != bytes - s->strings || s->nfds > LIBOS_START_FDS_MAX ||
        s->fds < sizeof(*s) || s->fds % 8 ||
        s->fds + s->nfds * sizeof(struct libos_start_fd) > s->strings)
        return false;
    for (uint64_t i = s->strings; i < bytes; i++)
        strings += ((const char *)s)[i] == 0;
    return strings >= 1ull + s->argc + s->envc;
}

// A private copy of the caller's start block: what it does to its own pages from now on does not
// matter. The kernel copies, so pages that go meanwhile are an error, and not our death.
static struct libos_start *start_copy(const struct proc *p, uint64_t at, uint64_t bytes)
{
    if (bytes < sizeof(struct libos_start) || bytes > START_PAGES_MAX * EXO_PAGE_SIZE)
        return NULL;
    struct libos_start *s = calloc(1, bytes);
    if (!s)
        return NULL;
    bool whole = true;
    for (uint64_t done = 0, part; whole && done < bytes; done += part) {
        part = bytes - done < EXO_PAGE_SIZE ? bytes - done : EXO_PAGE_SIZE;
        whole = exo_env_memory(p->env, at + done, (char *)s + done, part, 0) == (int64_t)part;
    }
    if (whole)
        ((char *)s)[bytes - 1] = 0;
    if (!whole || !start_good(s, bytes)) {
        free(s);
        return NULL;
    }
    s->mode = LIBOS_START_PATH;
    s->secure = 1;
    s->image = 0;
    memset(s->extra, 0, sizeof(s->extra));
    return s;
}

// Signals the caller was sent and has not seen: it is in this call, so nothing of it runs any more.
static uint64_t untaken(const struct proc *p)
{
    uint64_t bits = 0, at = LIBOS_CTX + offsetof(struct exo_ctx, pending);
    if (exo_env_memory(p->env, at, &bits, sizeof(bits), 0) != sizeof(bits))
        return 0;
    return bits & ~(LX_SIGBIT(32) | LX_SIGBIT(33)); // its timers
}

long life_setid_exec(struct proc *p, const struct exo_msg *m)
{
    if (p->rec->flags & PROC_F_CONFINED)
        return -LX_EPERM;
    uint64_t bytes = m->w[1], cookie = cookie_new(p->pid);
    exo_handle_t env = 0;
    struct libos_start *s = start_copy(p, m->w[2], bytes);
    struct corpse *corpse = malloc(sizeof(*corpse));
    struct exo_domain d =
        domain_for(job_bank(p->job), job_bank_rights(p->job), job_slice(p->job), cookie);
    d.start = s;
    d.start_bytes = bytes;
    if (!s || !corpse || exo_domain_create(&d, &env) < 0)
        goto fail;
    if (give_descriptors(p, env, s) < 0 || exo_domain_write_start(&d, env) < 0)
        goto fail;
    *corpse = (struct corpse){.cookie = p->cookie, .env = p->env};
    uint64_t pending = untaken(p);
    if (proc_move(p, env, cookie) < 0)
        goto fail;
    gift_clear(p);
    p->pristine = true;
    LIST_INSERT_HEAD(&corpses, corpse, link);
    exo_env_notify(env, pending);
    exo_env_kill(corpse->env, 0, 0);
    if (exo_domain_start(&d, env) < 0)
        exo_env_kill(env, LX_SIGKILL, 0);
    free(s);
    return 0;
fail:
    gift_clear(p);
    if (env) {
        exo_env_kill(env, 0, 0);
        exo_cap_delete(env);
    }
    free(s);
    free(corpse);
    return -LX_EAGAIN;
}

long life_setid_claim(struct proc *p, uint32_t uid, uint32_t gid)
{
    if (!p->pristine)
        return -LX_EPERM;
    p->pristine = false;
    rec_begin(p);
    if (uid != 0xffffffffu)
        p->rec->euid = p->rec->suid = uid;
    if (gid != 0xffffffffu)
        p->rec->egid = p->rec->sgid = gid;
    rec_end(p);
    return 0;
}

// --- death ---------------------------------------------------------------------------------------

static uint32_t status_of(const struct proc *p)
{
    const volatile struct exo_env_info *info = &EXO_ENVS[p->index];
    uint32_t code = (uint32_t)info->code;
    switch (info->reason) {
    case EXO_DEATH_EXIT: // the process's own word: made to be a wait status of an ended process
        return (code & 0x7f) == 0 ? code & 0xff00 : (code & 0x7f) == 0x7f ? 0x7f00 : code & 0x7f;
    case EXO_DEATH_KILLED:
        if (code & PROC_KILL_EXITED)
            return code & 0xff00;
        return code & 0x7f ? code & 0x7f : LX_SIGKILL;
    case EXO_DEATH_UPCALL:
        return LX_SIGSEGV;
    default:
        return LX_SIGKILL;
    }
}

static void orphan_children(struct proc *p)
{
    struct proc *child, *next, *one = proc_by_pid(1);
    for (child = LIST_FIRST(&p->children); child; child = next) {
        next = LIST_NEXT(child, sibling);
        if (unborn(child)) // nobody else could give it life
            exo_env_kill(child->env, 0, 0);
        proc_adopt(child, one);
        if (child->rec->state == PROC_ZOMBIE)
            proc_free(child);
    }
}

static void session_ended(const struct proc *p)
{
    if (p->rec->sid == p->pid && own.service_env[SERVER_TTYD])
        exo_env_notify(own.service_env[SERVER_TTYD], TTY_NOTIFY_SESSION);
}

static void corpse_drop(uint64_t cookie)
{
    struct corpse *c;
    LIST_FOREACH (c, &corpses, link) {
        if (c->cookie != cookie)
            continue;
        LIST_REMOVE(c, link);
        exo_cap_delete(c->env);
        free(c);
        return;
    }
}

void life_died(uint64_t cookie)
{
    struct proc *p = proc_by_pid((int)(cookie & 0xffff));
    if (!p || p->cookie != cookie) {
        corpse_drop(cookie);
        return;
    }
    bool embryo = p->rec->state == PROC_EMBRYO;
    gift_clear(p);
    rec_begin(p);
    p->rec->status = status_of(p);
    p->rec->utime_ns += EXO_ENVS[p->index].cpu_ns;
    p->rec->state = PROC_ZOMBIE;
    p->rec->event++;
    rec_end(p);
    p->force_at = 0;
    job_owner_gone(p);
    signal_drop_queue(p);
    group_check_orphans(p);
    orphan_children(p);
    session_ended(p);
    if (p == own.first)
        first_ended(p);
    if (embryo || p->parent->pid == 1 || (p->parent->rec->flags & PROC_F_NOCLDWAIT)) {
        struct proc *parent = p->parent;
        uint32_t status = p->rec->status;
        int code = (status & 0x7f) ? LX_CLD_KILLED : LX_CLD_EXITED;
        if (!embryo)
            signal_child_event(p, code, (int32_t)((status & 0x7f) ? status & 0x7f : status >> 8));
        proc_free(p);
        parent->rec->child_event++;
        wake_word(&parent->rec->child_event);
        return;
    }
    uint32_t status = p->rec->status;
    if (status & 0x7f)
        signal_child_event(p, LX_CLD_KILLED, (int32_t)(status & 0x7f));
    else
        signal_child_event(p, LX_CLD_EXITED, (int32_t)(status >> 8));
}

long life_reap(struct proc *caller, int pid, struct exo_msg *m)
{
    struct proc *p = proc_by_pid(pid);
    if (!p || p->parent != caller || p->rec->state != PROC_ZOMBIE)
        return -LX_ECHILD;
    m->w[1] = p->rec->status;
    m->w[2] = p->rec->utime_ns + p->rec->cutime_ns;
    caller->rec->cutime_ns += m->w[2];
    proc_free(p);
    return 0;
}

long life_ack(struct proc *caller, int pid, unsigned what)
{
    struct proc *p = proc_by_pid(pid);
    if (!p || p->parent != caller)
        return -LX_ECHILD;
    if (what == 1) {
        if (p->rec->state != PROC_STOPPED || (p->rec->waited & 1))
            return -LX_EAGAIN;
        p->rec->waited |= 1;
    } else {
        if (!(p->rec->flags & PROC_F_CONTINUED))
            return -LX_EAGAIN;
        p->rec->flags &= ~PROC_F_CONTINUED;
    }
    return 0;
}
