// SPDX-License-Identifier: MIT
// Interval timers: alarm, setitimer, timer_create. All of a process's timers share the context's
// one kernel alarm, set to the earliest deadline. POSIX: alarm(), getitimer(), timer_create(),
// timer_settime().
//
// A timer on CPU time has no kernel alarm of its own: the alarm is set to the moment it would
// expire if the process ran from now on, and set again when it has not run as much.
#include <lx/time.h>
#include <proc/signal.h>

#define NS 1000000000ull

uint64_t cpu_time(void);

struct timer {
    LIST_ENTRY(timer) link;
    int32_t id;
    int32_t clock; // LX_CLOCK_MONOTONIC or LX_CLOCK_PROCESS_CPUTIME_ID: what `at` counts
    int32_t real;  // armed against CLOCK_REALTIME
    int32_t signo; // 0: none
    uint64_t at;   // 0: disarmed
    uint64_t interval;
    uint64_t value;
    int32_t overrun;
    int32_t code; // SI_TIMER or SI_KERNEL
};

static LIST_HEAD(, timer) timers = LIST_HEAD_INITIALIZER(timers);
static struct timer itimers[3] = {
    {.id = -1, .clock = LX_CLOCK_MONOTONIC, .signo = LX_SIGALRM, .code = LX_SI_KERNEL},
    {.id = -2, .clock = LX_CLOCK_PROCESS_CPUTIME_ID, .signo = LX_SIGVTALRM, .code = LX_SI_KERNEL},
    {.id = -3, .clock = LX_CLOCK_PROCESS_CPUTIME_ID, .signo = LX_SIGPROF, .code = LX_SI_KERNEL},
};
static bool itimers_listed;
static int32_t next_id;

static uint64_t now_of(const struct timer *t)
{
    return t->clock == LX_CLOCK_MONOTONIC ? clock_now() : cpu_time();
}

static void list_itimers(void)
{
    if (itimers_listed)
        return;
    itimers_listed = true;
    for (int i = 0; i < 3; i++)
        LIST_INSERT_HEAD(&timers, &itimers[i], link);
}

static void set_alarm(void)
{
    uint64_t first = EXO_NEVER, now = clock_now();
    struct timer *t;
    LIST_FOREACH (t, &timers, link) {
        if (!t->at)
            continue;
        uint64_t at = t->at, mine = now_of(t);
        if (t->clock != LX_CLOCK_MONOTONIC)
            at = now + (at > mine ? at - mine : 0);
        if (at < first)
            first = at;
    }
    exo_ctx_alarm(first, NOTIFY_ALARM);
}

static void fire(struct timer *t, uint64_t now)
{
    uint64_t times = 1;
    if (t->interval) {
        times += (now - t->at) / t->interval;
        t->at += times * t->interval;
    } else {
        t->at = 0;
    }
    if (!t->signo)
        return;
    struct lx_siginfo info = {.signo = t->signo, .code = t->code}, *pending;
    if (t->code == LX_SI_TIMER) {
        int overrun = times - 1 > INT32_MAX / 2 ? INT32_MAX / 2 : (int)(times - 1);
        pending = sig_of_timer(t->signo, t->id);
        if (pending) { // POSIX: one signal a timer; what expires meanwhile is counted
            if (pending->timer.overrun < INT32_MAX / 2)
                pending->timer.overrun += 1 + overrun;
            return;
        }
        info.timer.id = t->id;
        info.timer.overrun = overrun;
        info.timer.value = t->value;
    }
    sig_raise(&info);
}

void timer_expired(void)
{
    struct timer *t;
    LIST_FOREACH (t, &timers, link) {
        uint64_t now = t->at ? now_of(t) : 0;
        if (t->at && t->at <= now)
            fire(t, now);
    }
    set_alarm();
}

// Timers are not inherited.
void timer_after_fork_child(void)
{
    struct timer *t, *next;
    for (t = LIST_FIRST(&timers); t; t = next) {
        next = LIST_NEXT(t, link);
        if (t->id >= 0) {
            LIST_REMOVE(t, link);
            heap_free(t);
        } else {
            t->at = t->interval = 0;
        }
    }
}

// POSIX: timers made by timer_create go at exec; alarm and setitimer stay.
void timer_after_exec(void)
{
    struct timer *t, *next;
    for (t = LIST_FIRST(&timers); t; t = next) {
        next = LIST_NEXT(t, link);
        if (t->id >= 0) {
            LIST_REMOVE(t, link);
            heap_free(t);
        }
    }
    set_alarm();
}

static uint64_t left_of(const struct timer *t)
{
    uint64_t now = now_of(t);
    return !t->at ? 0 : t->at > now ? t->at - now : 1;
}

void timer_keep(struct libos_kept *kept)
{
    for (int i = 0; i < 3; i++) {
        kept->itimer[i][0] = left_of(&itimers[i]);
        kept->itimer[i][1] = itimers[i].interval;
    }
}

void timer_inherit(const struct libos_kept *kept)
{
    list_itimers();
    for (int i = 0; i < 3; i++) {
        uint64_t left = kept->itimer[i][0];
        itimers[i].at = left ? now_of(&itimers[i]) + left : 0;
        itimers[i].interval = kept->itimer[i][1];
    }
    set_alarm();
}

static uint64_t arm(struct timer *t, uint64_t at, uint64_t interval)
{
    uint64_t left = left_of(t);
    t->at = at;
    t->interval = interval;
    t->overrun = 0;
    set_alarm();
    return left;
}

// --- setitimer, alarm ----------------------------------------------------------------------------

static struct lx_timeval to_timeval(uint64_t ns)
{
    return (struct lx_timeval){(int64_t)(ns / NS), (int64_t)((ns % NS + 999) / 1000)};
}

static bool bad_timeval(const struct lx_timeval *t)
{
    return t->sec < 0 || t->usec < 0 || t->usec > 999999;
}

static uint64_t from_timeval(const struct lx_timeval *t)
{
    uint64_t sec = (uint64_t)t->sec > UINT32_MAX ? UINT32_MAX : (uint64_t)t->sec;
    return sec * NS + (uint64_t)t->usec * 1000;
}

static struct lx_itimerval itimer_value(const struct timer *t)
{
    uint64_t now = now_of(t);
    uint64_t left = !t->at ? 0 : (t->at > now ? t->at - now : 1000);
    return (struct lx_itimerval){to_timeval(t->interval), to_timeval(left)};
}

long px_getitimer(int which, uint64_t uvalue)
{
    if (which < 0 || which > LX_ITIMER_PROF)
        return -LX_EINVAL;
    struct lx_itimerval v = itimer_value(&itimers[which]);
    return user_write(uvalue, &v, sizeof(v));
}

long px_setitimer(int which, uint64_t unew, uint64_t uold)
{
    struct lx_itimerval new = {0};
    if (which < 0 || which > LX_ITIMER_PROF)
        return -LX_EINVAL;
    if (unew && user_read(&new, unew, sizeof(new)) < 0)
        return -LX_EFAULT;
    if (bad_timeval(&new.value) || bad_timeval(&new.interval))
        return -LX_EINVAL;
    list_itimers();
    struct timer *t = &itimers[which];
    struct lx_itimerval old = itimer_value(t);
    uint64_t value = from_timeval(&new.value);
    arm(t, value ? now_of(t) + value : 0, from_timeval(&new.interval));
    return uold ? user_write(uold, &old, sizeof(old)) : 0;
}

long px_alarm(uint32_t seconds)
{
    struct timer *t = &itimers[LX_ITIMER_REAL];
    list_itimers();
    uint64_t left = arm(t, seconds ? now_of(t) + seconds * NS : 0, 0);
    return (long)((left + NS - 1) / NS);
}

// --- timer_create and its relatives --------------------------------------------------------------

static struct timer *timer_find(int id)
{
    struct timer *t;
    LIST_FOREACH (t, &timers, link) {
        if (id >= 0 && t->id == id)
            return t;
    }
    return NULL;
}

void timer_delivered(const struct lx_siginfo *info)
{
    struct timer *t = timer_find(info->timer.id);
    if (t)
        t->overrun = info->timer.overrun;
}

static int timer_clock(int clock, struct timer *t)
{
    switch (clock) {
    case LX_CLOCK_REALTIME:
        t->real = 1;
        t->clock = LX_CLOCK_MONOTONIC;
        return 0;
    case LX_CLOCK_MONOTONIC:
    case LX_CLOCK_BOOTTIME:
        t->clock = LX_CLOCK_MONOTONIC;
        return 0;
    case LX_CLOCK_PROCESS_CPUTIME_ID:
    case LX_CLOCK_THREAD_CPUTIME_ID:
        t->clock = LX_CLOCK_PROCESS_CPUTIME_ID;
        return 0;
    default:
        return -LX_EINVAL;
    }
}

long px_timer_create(int clock, uint64_t uevent, uint64_t uid)
{
    struct lx_sigevent ev = {.signo = LX_SIGALRM, .notify = LX_SIGEV_SIGNAL};
    struct timer proto = {.code = LX_SI_TIMER};
    if (uevent && user_read(&ev, uevent, sizeof(ev)) < 0)
        return -LX_EFAULT;
    if (timer_clock(clock, &proto) < 0)
        return -LX_EINVAL;
    bool silent = ev.notify == LX_SIGEV_NONE;
    if (!silent && (ev.signo < 1 || ev.signo > LX_NSIG))
        return -LX_EINVAL;
    if (ev.notify != LX_SIGEV_NONE && ev.notify != LX_SIGEV_SIGNAL &&
        !(ev.notify == LX_SIGEV_THREAD_ID && ev.tid == thread_self()->tid))
        return -LX_EINVAL;
    struct timer *t = heap_alloc(sizeof(*t));
    if (!t)
        return -LX_EAGAIN;
    *t = proto;
    t->id = next_id++;
    t->signo = silent ? 0 : ev.signo;
    t->value = uevent ? ev.value : (uint64_t)t->id;
    if (user_store32(uid, (uint32_t)t->id) < 0) {
        heap_free(t);
        return -LX_EFAULT;
    }
    LIST_INSERT_HEAD(&timers, t, link);
    return 0;
}

static struct lx_timespec to_timespec(uint64_t ns)
{
    return (struct lx_timespec){(int64_t)(ns / NS), (int64_t)(ns % NS)};
}

static struct lx_itimerspec timer_value(const struct timer *t)
{
    return (struct lx_itimerspec){to_timespec(t->interval), to_timespec(left_of(t))};
}

long px_timer_gettime(int id, uint64_t uvalue)
{
    struct timer *t = timer_find(id);
    if (!t)
        return -LX_EINVAL;
    struct lx_itimerspec v = timer_value(t);
    return user_write(uvalue, &v, sizeof(v));
}

static bool bad_timespec(const struct lx_timespec *t)
{
    return t->sec < 0 || t->nsec < 0 || t->nsec >= (int64_t)NS;
}

static uint64_t from_timespec(const struct lx_timespec *t)
{
    uint64_t sec = (uint64_t)t->sec > UINT32_MAX ? UINT32_MAX : (uint64_t)t->sec;
    return sec * NS + (uint64_t)t->nsec;
}

long px_timer_settime(int id, int flags, uint64_t unew, uint64_t uold)
{
    struct timer *t = timer_find(id);
    struct lx_itimerspec new;
    if (!t)
        return -LX_EINVAL;
    if (user_read(&new, unew, sizeof(new)) < 0)
        return -LX_EFAULT;
    if (bad_timespec(&new.value) || bad_timespec(&new.interval))
        return -LX_EINVAL;
    struct lx_itimerspec old = timer_value(t);
    uint64_t value = from_timespec(&new.value), at = 0;
    if (value && (flags & LX_TIMER_ABSTIME)) {
        int64_t offset = t->real ? EXO_INFO->wall_ns : 0;
        at = (int64_t)value > offset ? value - (uint64_t)offset : 1;
    } else if (value) {
        at = now_of(t) + value;
    }
    arm(t, at, from_timespec(&new.interval));
    return uold ? user_write(uold, &old, sizeof(old)) : 0;
}

long px_timer_getoverrun(int id)
{
    struct timer *t = timer_find(id);
    return t ? t->overrun : -LX_EINVAL;
}

long px_timer_delete(int id)
{
    struct timer *t = timer_find(id);
    if (!t)
        return -LX_EINVAL;
    LIST_REMOVE(t, link);
    heap_free(t);
    set_alarm();
    return 0;
}
