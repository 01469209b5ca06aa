// SPDX-License-Identifier: MIT
// Signal state: what is pending, what it does. POSIX: 2.4 Signal Concepts.
//
// Nobody else touches this state: init only sets notification bits and writes the sender into the
// process record. SIGKILL never gets here (init kills the environment); a stop is carried out by
// the process itself, which asks init first (a SIGCONT sent meanwhile has cancelled it), and sleeps
// on its record.
#include <proc/signal.h>

struct sig_state sig;

enum default_action { ACT_TERM, ACT_IGNORE, ACT_STOP };

static enum default_action default_action(int signo)
{
    if (LX_SIGBIT(signo) & SIG_STOPS)
        return ACT_STOP;
    switch (signo) {
    case LX_SIGCHLD:
    case LX_SIGCONT:
    case LX_SIGURG:
    case LX_SIGWINCH:
        return ACT_IGNORE;
    default:
        return ACT_TERM;
    }
}

bool sig_ignored(int signo)
{
    uint64_t handler = sig.action[signo - 1].handler;
    return handler == LX_SIG_IGN || (handler == LX_SIG_DFL && default_action(signo) == ACT_IGNORE);
}

void sig_init(void)
{
    TAILQ_INIT(&sig.queue);
}

// --- pending -------------------------------------------------------------------------------------

static void queue_drop(int signo)
{
    struct sig_queued *q, *next;
    for (q = TAILQ_FIRST(&sig.queue); q; q = next) {
        next = TAILQ_NEXT(q, link);
        if (q->info.signo == signo) {
            TAILQ_REMOVE(&sig.queue, q, link);
            heap_free(q);
        }
    }
}

static void discard(uint64_t bits)
{
    sig.pending &= ~bits;
    sig.local &= ~bits;
    for (; bits && !TAILQ_EMPTY(&sig.queue); bits &= bits - 1)
        queue_drop(__builtin_ctzll(bits) + 1);
}

// A stop makes a pending continue void, and the other way round.
static inline void pending_set(uint64_t bits)
{
    if (bits & LX_SIGBIT(LX_SIGCONT))
        discard(SIG_STOPS & ~bits);
    if (bits & SIG_STOPS)
        discard(LX_SIGBIT(LX_SIGCONT) & ~bits);
    sig.pending |= bits;
}

// What is ignored and not blocked goes at once, but for what it makes void.
static void add_pending(uint64_t bits)
{
    pending_set(bits);
    uint64_t blocked = thread_self()->sigmask;
    for (uint64_t rest = bits & ~blocked; rest; rest &= rest - 1) {
        int signo = __builtin_ctzll(rest) + 1;
        if (sig_ignored(signo))
            sig.pending &= ~LX_SIGBIT(signo);
    }
}

// Who sent a signal without init: the kernel says which environment it was, whose record stays
// readable until another process has its place. Nobody is known to have sent what is from init:
// that stands in our own record.
static void sender_take(int signo)
{
    uint64_t env = ctx_self()->notified_by[signo - 1], now = 0;
    const struct proc_rec *rec = (const struct proc_rec *)LIBOS_PROCTAB;
    struct lx_siginfo *info = &sig.info[signo - 1];
    uint32_t pid = 0, uid = 0;
    if (!env || EXO_ENV_INDEX(env) >= PROC_PER_SEGMENT)
        return;
    rec = (const struct proc_rec *)((uint64_t)rec + (uint64_t)EXO_ENV_INDEX(env) * PROC_REC_SIZE);
    if (!user_peek32(&rec->pid, &pid) || !user_peek32(&rec->ruid, &uid) ||
        !user_peek64(&rec->env, &now) || now != env)
        pid = 0, uid = SIG_NOBODY;
    if (pid == 1)
        return;
    *info = (struct lx_siginfo){.signo = signo, .code = LX_SI_USER};
    info->from.pid = (int32_t)pid;
    info->from.uid = uid;
    sig.local |= LX_SIGBIT(signo);
}

void sig_take(void)
{
    struct exo_ctx *ctx = ctx_self();
    uint64_t bits;
    if (!__atomic_load_n(&ctx->pending, __ATOMIC_RELAXED))
        return;
    bits = __atomic_exchange_n(&ctx->pending, 0, __ATOMIC_SEQ_CST);
    if (bits & NOTIFY_ALARM)
        timer_expired();
    bits &= ~(NOTIFY_ALARM | NOTIFY_ARMED);
    sig.local &= ~bits;
    for (uint64_t rest = bits & SIG_PLAIN; rest; rest &= rest - 1)
        sender_take(__builtin_ctzll(rest) + 1);
    add_pending(bits);
}

void sig_raise(const struct lx_siginfo *info)
{
    int signo = info->signo;
    uint64_t bit = LX_SIGBIT(signo);
    if (sig_ignored(signo) && !(thread_self()->sigmask & bit))
        return;
    if (signo < LX_SIGRTMIN) {
        if (sig.pending & bit)
            return;
        sig.info[signo - 1] = *info;
        sig.local |= bit;
    } else {
        struct sig_queued *q = heap_alloc(sizeof(*q));
        if (!q)
            return; // sigqueue has checked; a timer counts it as an overrun
        q->info = *info;
        TAILQ_INSERT_TAIL(&sig.queue, q, link);
    }
    pending_set(bit);
    if (bit & ~thread_self()->sigmask)
        sys_work_set();
}

void sig_raise_self(int signo)
{
    struct lx_siginfo info = {.signo = signo, .code = LX_SI_KERNEL};
    sig_raise(&info);
}

struct lx_siginfo *sig_of_timer(int signo, int id)
{
    struct sig_queued *q;
    struct lx_siginfo *info;
    if (signo < LX_SIGRTMIN) {
        info = &sig.info[signo - 1];
        bool own =
            (sig.local & LX_SIGBIT(signo)) && info->code == LX_SI_TIMER && info->timer.id == id;
        return own ? info : NULL;
    }
    TAILQ_FOREACH (q, &sig.queue, link) {
        if (q->info.signo == signo && q->info.code == LX_SI_TIMER && q->info.timer.id == id)
            return &q->info;
    }
    return NULL;
}

// --- information about the sender ----------------------------------------------------------------

static bool own_queued(int signo, struct lx_siginfo *info)
{
    struct sig_queued *q;
    TAILQ_FOREACH (q, &sig.queue, link) {
        if (q->info.signo != signo)
            continue;
        *info = q->info;
        TAILQ_REMOVE(&sig.queue, q, link);
        heap_free(q);
        return true;
    }
    return false;
}

static bool own_more(int signo)
{
    struct sig_queued *q;
    TAILQ_FOREACH (q, &sig.queue, link) {
        if (q->info.signo == signo)
            return true;
    }
    return false;
}

// A queued instance kept by init. More of them: the signal stays pending.
static bool fetch_queued(int signo, struct lx_siginfo *info)
{
    struct exo_msg m = {.w = {PROC_OP_FETCH, (uint64_t)signo}};
    if (server_call(H_INIT, &m) < 0)
        return false;
    info->from.pid = (int32_t)m.w[1];
    info->from.uid = (uint32_t)m.w[2];
    info->from.value = m.w[3];
    info->code = (int32_t)m.w[4];
    if (m.w[5])
        sig.pending |= LX_SIGBIT(signo);
    return true;
}

static void from_record(int signo, struct lx_siginfo *info)
{
    const volatile struct proc_sender *sender = &proc_self()->sender[signo - 1];
    info->code = sender->code;
    info->from.pid = sender->pid;
    info->from.uid = sender->uid;
    info->from.status = sender->value;
    if (info->code == LX_SI_QUEUE)
        fetch_queued(signo, info);
}

// Fills in *info for a pending signal and takes it out of the set (a queued one stays while there
// are more).
static void take_info(int signo, struct lx_siginfo *info)
{
    uint64_t bit = LX_SIGBIT(signo);
    *info = (struct lx_siginfo){.signo = signo};
    sig.pending &= ~bit;
    if (signo < LX_SIGRTMIN) {
        if (sig.local & bit)
            *info = sig.info[signo - 1];
        else
            from_record(signo, info);
        sig.local &= ~bit;
        return;
    }
    if (!own_queued(signo, info))
        fetch_queued(signo, info);
    if (own_more(signo))
        sig.pending |= bit;
}

int sig_next(uint64_t among, struct lx_siginfo *info)
{
    sig_take();
    uint64_t ready = sig.pending & among;
    if (!ready)
        return 0;
    int signo = __builtin_ctzll(ready) + 1;
    take_info(signo, info);
    if (info->code == LX_SI_TIMER)
        timer_delivered(info);
    return signo;
}

// --- what signals do -----------------------------------------------------------------------------

// Sleeps until continued. Signals that come meanwhile stay pending; SIGKILL needs no help from
// here.
static void stop_here(int signo)
{
    const volatile struct proc_rec *rec = proc_self();
    struct exo_msg m = {.w = {PROC_OP_STOPPED, (uint64_t)signo}};
    uint32_t resume = rec->resume;
    if (server_call(H_INIT, &m) < 0)
        return; // continued before it stopped
    while (rec->resume == resume) {
        struct exo_cond same = {EXO_COND_WORD, resume, (uint64_t)&rec->resume};
        if (exo_wait(&same, 1, EXO_NEVER) == -EXO_EINTR)
            sig_take();
    }
}

int sig_dispatch(struct lx_siginfo *info)
{
    while (ctx_self()->pending || (sig.pending & ~thread_self()->sigmask)) {
        int signo = sig_next(~thread_self()->sigmask | SIG_UNBLOCKABLE, info);
        if (!signo)
            return 0;
        uint64_t handler = sig.action[signo - 1].handler;
        if (handler > LX_SIG_IGN)
            return signo;
        if (handler == LX_SIG_IGN)
            continue;
        switch (default_action(signo)) {
        case ACT_IGNORE:
            break;
        case ACT_STOP:
            stop_here(signo);
            break;
        case ACT_TERM:
            proc_exit(signo);
        }
    }
    return 0;
}

bool sig_interrupts(void)
{
    if (ctx_self()->pending)
        sig_take();
    if (!(sig.pending & ~thread_self()->sigmask))
        return false;
    sys_work_set();
    return true;
}

void sig_forget(int signo)
{
    discard(LX_SIGBIT(signo));
}

void sig_set_mask(uint64_t mask)
{
    struct thread *t = thread_self();
    t->sigmask = mask & ~SIG_UNBLOCKABLE;
    if (sig.pending & ~t->sigmask)
        sys_work_set();
}

void sig_mask_for_call(uint64_t mask)
{
    struct thread *t = thread_self();
    t->saved_mask = t->sigmask;
    t->restore_mask = true;
    sys_work_set();
    sig_set_mask(mask);
}

// --- fork, exec, vfork ---------------------------------------------------------------------------

void sig_after_fork_child(void)
{
    discard(~0ull);
    peers_forget();
    TAILQ_INIT(&sig.queue);
    sig.child_flags = 0; // init made the record afresh
    sig_tell_child_flags();
}

void sig_after_exec(void)
{
    // Who asked for frames to be wanted back (libos_on_revoke) is gone with the program.
    if (sig.action[LX_SIGPWR - 1].handler > LX_SIG_IGN)
        exo_bank_keep(libos_bank, 0);
    for (int i = 0; i < LX_NSIG; i++) {
        struct lx_sigaction *a = &sig.action[i];
        *a = (struct lx_sigaction){.handler = a->handler == LX_SIG_IGN ? LX_SIG_IGN : LX_SIG_DFL};
    }
    struct thread *t = thread_self();
    t->altstack = t->altstack_size = 0;
    t->altstack_flags = 0;
    sig_tell_child_flags();
}

void sig_tell_child_flags(void)
{
    const struct lx_sigaction *a = &sig.action[LX_SIGCHLD - 1];
    uint32_t flags = (a->flags & LX_SA_NOCLDSTOP) ? PROC_F_NOCLDSTOP : 0;
    if (a->handler == LX_SIG_IGN || (a->flags & LX_SA_NOCLDWAIT))
        flags |= PROC_F_NOCLDWAIT;
    if (flags == sig.child_flags)
        return;
    struct exo_msg m = {
        .w = {PROC_OP_FLAGS, flags, ~flags & (PROC_F_NOCLDSTOP | PROC_F_NOCLDWAIT)}};
    if (server_call(H_INIT, &m) == 0)
        sig.child_flags = flags;
}

void sig_keep(struct libos_kept *kept)
{
    sig_take();
    kept->sigmask = thread_self()->sigmask;
    kept->sigpending = sig.pending;
    for (int i = 0; i < LX_NSIG; i++)
        if (sig.action[i].handler == LX_SIG_IGN)
            kept->sigignored |= 1ull << i;
}

// In an environment made for an exec (set-id): what the process had.
void sig_inherit(const struct libos_kept *kept)
{
    for (int i = 0; i < LX_NSIG; i++)
        if (kept->sigignored >> i & 1)
            sig.action[i].handler = LX_SIG_IGN;
    sig_set_mask(kept->sigmask);
    add_pending(kept->sigpending);
    sig_tell_child_flags();
}

struct snapshot {
    struct lx_sigaction action[LX_NSIG];
    uint64_t mask, altstack, altstack_size;
    uint32_t altstack_flags;
};

void *sig_snapshot(void)
{
    struct snapshot *s = heap_alloc(sizeof(*s));
    const struct thread *t = thread_self();
    if (!s)
        return NULL;
    memcpy(s->action, sig.action, sizeof(s->action));
    s->mask = t->sigmask;
    s->altstack = t->altstack;
    s->altstack_size = t->altstack_size;
    s->altstack_flags = t->altstack_flags;
    return s;
}

void sig_restore(void *snapshot)
{
    struct snapshot *s = snapshot;
    struct thread *t = thread_self();
    memcpy(sig.action, s->action, sizeof(s->action));
    t->altstack = s->altstack;
    t->altstack_size = s->altstack_size;
    t->altstack_flags = s->altstack_flags;
    sig_set_mask(s->mask);
    heap_free(s);
}
