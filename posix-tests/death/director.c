// SPDX-License-Identifier: MIT
//
// The director: enumerates the instructions of each scene, and checks what every scene has in
// common.
//
// After each death: the status is 9 (or the play's own, when it was over), nothing hangs (an alarm
// of virtual time), the processes' bank has sold as much as before, and as many environments exist.
//
// While the victim is in a kernel call, or in a server that has its interrupts masked by nothing
// but is short, many N end at the same point: a call is not interrupted. The time that passed tells
// so, and these N are passed over; so every instruction of user code counts once.
//
// usage: death [-k | -z] [-c COUNT] [-f FROM] [-t TO] [-n N] [-v] [SCENE...]
//        death -r KILLS [-s SEED]
//   -k  kill (SIGKILL); -z  stop (SIGSTOP), then continue and see the play through; default both
//   -c  at most about COUNT deaths a scene, spread over it; without it every instruction
//   -f -t  only from instruction FROM to TO; -n one N, as -f N -t N
//   -v  tell every death
//   -r  storm.c instead
#include "death.h"
#include <proto/proc.h>
#include <proto/start.h>

#define PATIENCE_S 60 // of virtual time, for one death and all that comes after

struct stage *stage;
const char *self;
char *const no_arguments[] = {"death", "-x", NULL};

static struct options {
    bool kill, stop, verbose;
    uint64_t count, from, to;
} opt = {.to = UINT64_MAX};

static const struct scene *scene;
static exo_handle_t victim; // the right to give it time
static uint32_t victim_index;
static pid_t pid;
static uint64_t now_at; // N
static bool stopping;
static unsigned failures;

void expect(bool holds, int line, const char *text, long long got, long long want)
{
    if (holds)
        return;
    printf("# %s -%c -n %llu: line %d: %s: %lld, want %lld, errno %d\n", scene->name,
           stopping ? 'z' : 'k', (unsigned long long)now_at, line, text, got, want, errno);
    failures++;
}

static void processes_tell(void)
{
    for (uint64_t i = 0; i < EXO_INFO->envs && i < PROC_PER_SEGMENT; i++) {
        const struct proc_rec *r = (const void *)(LIBOS_PROCTAB + i * PROC_REC_SIZE);
        if (EXO_ENVS[i].state == EXO_ENV_FREE)
            continue;
        printf("# environment %llu: state %u", (unsigned long long)i, EXO_ENVS[i].state);
        if (r->env == EXO_ENVS[i].id)
            printf(", process %d of %d, group %d, state %u", r->pid, r->ppid, r->pgid, r->state);
        printf("\n");
    }
}

static void hang(int signal)
{
    (void)signal;
    printf("# %s -%c -n %llu: hang, %u steps done, over %u\n", scene->name, stopping ? 'z' : 'k',
           (unsigned long long)now_at, stage->count, stage->done);
    processes_tell();
    printf("Bail out!\n");
    fflush(stdout);
    _exit(1);
}

// --- what must be as before

struct level {
    uint64_t sold, envs;
};

static struct level level(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    struct level l = {0};

    if (exo_cap_identify(libos_bank(), &info) == 0)
        l.sold = info.used;
    for (uint64_t i = 0; i < EXO_INFO->envs; i++)
        l.envs += EXO_ENVS[i].state != EXO_ENV_FREE;
    return l;
}

static struct level base;
static bool warming; // it need not be so yet

static bool is_level(void)
{
    struct level l = level();

    return l.sold == base.sold && l.envs == base.envs;
}

static void level_check(void)
{
    for (int i = 0; i < 300 && !is_level(); i++)
        usleep(1000);
    if (is_level() || warming)
        return;
    struct level l = level();
    expect(false, __LINE__, "frames sold as before", (long long)l.sold, (long long)base.sold);
    expect(l.envs == base.envs, __LINE__, "environments as before", (long long)l.envs,
           (long long)base.envs);
    base = l;
}

// --- the victim

static void word_wait(volatile uint32_t *word)
{
    while (!*word) {
        struct exo_cond zero = {.kind = EXO_COND_WORD, .value = 0, .va = (uint64_t)word};
        exo_wait(&zero, 1, EXO_NEVER);
    }
}

static void word_set(volatile uint32_t *word)
{
    *word = 1;
    exo_wake((uint64_t)word, UINT64_MAX);
}

static void __attribute__((noreturn)) live(void)
{
    if (scene->enter)
        scene->enter();
    word_set(&stage->ready);
    word_wait(&stage->go);
    scene->play();
    stage->done = 1;
    for (;;)
        pause();
}

// Nothing is ready, so the CPU's vector moves on: from now on a whole position is there.
static void quiet(void)
{
    exo_wait(NULL, 0, exo_clock_ns() + 1000);
}

// --- others that want the CPU

static pid_t crowd[64];
static unsigned crowded;

static void crowd_make(void)
{
    for (crowded = 0; !warming && crowded < scene->crowd; crowded++) {
        crowd[crowded] = fork();
        if (crowd[crowded] == 0) {
            word_wait(&stage->crowd);
            for (;;)
                ;
        }
        setpgid(crowd[crowded], crowd[0]);
    }
}

static void crowd_end(void)
{
    if (crowded)
        IS(kill(-crowd[0], SIGKILL), 0); // all at once: each call may cost a turn of everybody
    while (crowded) {
        crowded--;
        IS(waitpid(crowd[crowded], NULL, 0), crowd[crowded]);
    }
}

// --- one play

static void begin(void)
{
    memset((void *)stage, 0, sizeof(*stage));
    alarm(PATIENCE_S);
    if (scene->set)
        scene->set();
    if (scene->birth) {
        quiet();
        pid = scene->birth();
    } else if ((pid = fork()) == 0)
        live();
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    int64_t peer = pid > 0 ? libos_peer(pid) : -EXO_ENOENT;
    if (peer < 0 || exo_cap_identify((exo_handle_t)peer, &info) < 0) {
        expect(false, __LINE__, "a victim", peer, 0);
        exit(1);
    }
    victim = (exo_handle_t)peer;
    victim_index = EXO_ENV_INDEX(info.env);
    crowd_make();
    if (scene->birth)
        return;
    word_wait(&stage->ready);
    quiet();
    word_set(&stage->crowd); // before the victim in the queue
    word_set(&stage->go);
}

static bool gone(void)
{
    uint32_t state = EXO_ENVS[victim_index].state;

    return state != EXO_ENV_NEW && state != EXO_ENV_LIVE;
}

static bool over(void)
{
    return scene->ends ? gone() : stage->done;
}

// Gives the victim n instructions, or all it wants. What it waits for may run meanwhile. Returns by
// how much the last part became longer than it should: the CPU was in a call that must end.
#define OTHERS 40

static uint64_t give(uint64_t n)
{
    uint64_t ran = 0, part = 0, left = 0;

    for (unsigned idle = 0; ran < n && !over();) {
        uint64_t from = exo_clock_ns();
        left = n - ran;
        int64_t r = libos_yield_to(victim, left);
        part = exo_clock_ns() - from;
        if (r == 1) {
            ran += part;
            idle = 0;
            continue;
        }
        if (r < 0)
            break;
        if (idle++ < OTHERS)
            exo_ctx_yield(0, 0, 0);
        else if (!scene->wake || !scene->wake())
            break;
        else
            idle = 0;
    }
    return ran >= n && part > left ? part - left : 0;
}

static void kill_it(void)
{
    int status = -1;
    bool was_gone = gone();

    HOLDS(kill(pid, SIGKILL) == 0 || (was_gone && scene->reap));
    if (scene->reap) {
        scene->reap(was_gone ? scene->ends : SIGKILL);
        return;
    }
    IS(waitpid(pid, &status, 0), pid);
    IS(status, was_gone ? scene->ends : SIGKILL);
}

// Stopped wherever it is, then continued: the play must end as if nothing had been. One that is on
// its way to its end may get there instead.
static void stop_it(void)
{
    int status = -1;

    if (gone()) {
        crowd_end();
        kill_it();
        return;
    }
    IS(kill(pid, SIGSTOP), 0);
    IS(waitpid(pid, &status, WUNTRACED), pid);
    crowd_end();
    if (!WIFSTOPPED(status)) {
        IS(status, scene->ends);
        return;
    }
    IS(WSTOPSIG(status), SIGSTOP);
    if (scene->meanwhile)
        scene->meanwhile();
    IS(kill(pid, SIGCONT), 0);
    IS(waitpid(pid, &status, WCONTINUED), pid);
    if (!WIFCONTINUED(status)) { // the director slept, so it ran
        IS(status, scene->ends);
        return;
    }
    give(UINT64_MAX);
    HOLDS(over());
    kill_it();
}

// One death. Returns how much longer than n it took.
static uint64_t once(uint64_t n, bool *whole)
{
    uint64_t late;

    now_at = n;
    begin();
    late = give(n);
    *whole = over();
    if (stopping)
        stop_it();
    else
        kill_it();
    exo_cap_delete(victim);
    if (stage->error)
        expect(false, __LINE__, "the play, line", stage->error, 0);
    if (scene->after)
        scene->after(*whole || (stopping && over()));
    level_check();
    return late;
}

// --- all of a scene

static uint64_t length(void)
{
    bool whole;
    uint64_t from;

    warming = true; // caches fill, tables grow
    for (int i = 0, same = 0; i < 40 && same < 6; i++) {
        once(i % 2 ? 1 : UINT64_MAX, &whole);
        same = is_level() ? same + 1 : 0;
        base = level();
    }
    begin();
    from = exo_clock_ns();
    give(UINT64_MAX);
    from = exo_clock_ns() - from;
    kill_it();
    exo_cap_delete(victim);
    if (scene->after)
        scene->after(true);
    level_check();
    warming = false;
    return from;
}

// How late the director gets the CPU back when the victim ran user code to the last: the least it
// is again and again (a victim that goes to sleep in the last moment makes it less).
#define LATE_MAX 4096
static uint16_t lates[LATE_MAX];

static uint64_t passed_over(uint64_t late)
{
    if (late < LATE_MAX && lates[late] < 10)
        lates[late]++;
    for (uint64_t usual = 0; usual < LATE_MAX && usual + 8 < late; usual++)
        if (lates[usual] == 10)
            return late - usual - 8;
    return 0;
}

// Deaths `stride` apart, but not where they would be the same death.
static uint64_t pass(uint64_t stride, uint64_t all)
{
    uint64_t deaths = 0;
    bool whole = false;

    for (uint64_t at = opt.from + 1; at <= opt.to && at <= all + 1000 && !whole; deaths++) {
        uint64_t late = once(at, &whole), skip = passed_over(late);
        if (opt.verbose)
            printf("# %s -%c -n %llu: late %llu, steps %u%s\n", scene->name, stopping ? 'z' : 'k',
                   (unsigned long long)at, (unsigned long long)late, stage->count,
                   whole ? ", over" : "");
        at += skip > stride ? skip : stride;
    }
    return deaths;
}

static unsigned scenes_run;

static void run(const struct scene *s, bool stop)
{
    uint64_t all, stride = 1, deaths = 0, before = failures;

    scene = s;
    stopping = stop;
    memset(lates, 0, sizeof(lates));
    all = length();
    now_at = 0;
    uint64_t free = EXO_INFO->frames_free;
    if (opt.count && all > opt.count)
        stride = all / opt.count;
    do { // most of a long play may be one call: then few points were found, so look closer
        deaths += pass(stride, all);
        stride /= 5;
    } while (opt.count && deaths < opt.count && stride);
    printf("%s %u - %s %s at %llu points of %llu instructions; frames free %lld\n",
           failures == before ? "ok" : "not ok", ++scenes_run, s->name, stop ? "stopped" : "killed",
           (unsigned long long)deaths, (unsigned long long)all,
           (long long)(EXO_INFO->frames_free - free));
    fflush(stdout);
}

static void each(char **names, bool stop)
{
    const struct scene *lists[] = {pipe_scenes, file_scenes, process_scenes, tty_scenes};

    for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        for (const struct scene *s = lists[i]; s->name; s++) {
            bool wanted = !*names;
            for (char **name = names; *name; name++)
                wanted |= !strncmp(s->name, *name, strlen(*name));
            wanted &= stop ? !s->kill_only : !s->crowd;
            if (wanted && (*names || !s->crowd))
                run(s, stop);
        }
}

int main(int argc, char **argv)
{
    unsigned kills = 0, seed = 1;

    self = argv[0];
    for (int option; (option = getopt(argc, argv, "kzc:f:t:n:vr:s:x")) != -1;) {
        uint64_t number = optarg ? strtoull(optarg, NULL, 0) : 0;
        switch (option) {
        case 'x':
            _exit(STATUS);
        case 'k':
            opt.kill = true;
            break;
        case 'z':
            opt.stop = true;
            break;
        case 'c':
            opt.count = number;
            break;
        case 'n':
            opt.to = number;
            __attribute__((fallthrough));
        case 'f':
            opt.from = number - 1;
            break;
        case 't':
            opt.to = number;
            break;
        case 'v':
            opt.verbose = true;
            break;
        case 'r':
            kills = (unsigned)number;
            break;
        case 's':
            seed = (unsigned)number;
            break;
        default:
            return 2;
        }
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (kills)
        return storm(kills, seed);
    signal(SIGALRM, hang);
    signal(SIGPIPE, SIG_IGN);
    if (libos_share_memory(sizeof(*stage), (void **)&stage) < 0 || chdir("/tmp"))
        return 1;
    if (opt.kill || !opt.stop)
        each(argv + optind, false);
    if (opt.stop || !opt.kill)
        each(argv + optind, true);
    printf("1..%u\n", scenes_run);
    return failures || !scenes_run;
}
