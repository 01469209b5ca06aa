// SPDX-License-Identifier: MIT
// Wait and wake: conditions, the published sleeper count, deadlines, capability counts, armed
// capabilities.
#include "test.h"

#define SHARED 0x20000000ull

static struct peer peer;
static volatile uint32_t words[4] __attribute__((aligned(4096)));
static volatile int64_t result, rounds;

static void sleeper(void *arg)
{
    struct exo_cond conds[3] = {{EXO_COND_WORD, 0, (uint64_t)&words[0]},
                                {EXO_COND_WORD, 0, (uint64_t)&words[1]},
                                {EXO_COND_WORD, 5, (uint64_t)&words[2]}};

    (void)arg;
    result = exo_wait(conds, 3, EXO_NEVER);
    rounds++;
    for (uint32_t turn = 1;; turn++) { // then a game of turns with the other side
        struct exo_cond mine = {EXO_COND_WORD, turn * 2 - 1, (uint64_t)&words[3]};

        while (words[3] == turn * 2 - 1)
            exo_wait(&mine, 1, EXO_NEVER);
        rounds++;
        words[3]++;
        exo_wake((uint64_t)&words[3], 1);
    }
}

static void conditions(void)
{
    struct exo_cond c = {EXO_COND_WORD, 1, (uint64_t)&words[0]};
    struct exo_cond many[65] = {{0}};
    uint64_t t = now();

    is(exo_wait(&c, 1, EXO_NEVER), 0); // it holds no longer
    c.value = 0;
    is(exo_wait(&c, 1, 0), -EXO_ETIMEDOUT);
    is(exo_wait(&c, 1, t + 15000000), -EXO_ETIMEDOUT);
    ok(now() - t >= 15000000);
    c.va++;
    is(exo_wait(&c, 1, 0), -EXO_EINVAL);
    c.va = SHARED + 0x100000;
    is(exo_wait(&c, 1, 0), -EXO_EFAULT);
    c.kind = 77;
    is(exo_wait(&c, 1, 0), -EXO_EINVAL);
    is(exo_wait(many, 65, 0), -EXO_ELIMIT);
    is(exo_wait((void *)EXO_KERNEL_BASE, 1, 0), -EXO_EFAULT);
}

static void other_side(void)
{
    exo_fn_t fn;
    struct exo_cond mine;

    words[2] = 5;
    words[3] = 1;
    peer_start(&peer, 0, true, 0, 0, sleeper, 0);
    exo_wait(0, 0, now() + 10000000);
    is(rounds, 0);
    fn = 0;
    for (exo_fn_t i = 0; i < EXO_INFO->frames; i++)
        if (EXO_FRAMES[i].sleepers)
            fn = i, rounds += EXO_FRAMES[i].sleepers;
    is(rounds, 3);
    rounds = 0;
    words[1] = 1;
    is(exo_wake((uint64_t)&words[3], 10), 0);
    is(exo_wake((uint64_t)&words[1], 10), 1);
    spin_until(rounds == 1);
    is(result, 1);
    for (uint32_t turn = 1; turn <= 500; turn++) {
        words[3] = turn * 2;
        exo_wake((uint64_t)&words[3], 1);
        mine = (struct exo_cond){EXO_COND_WORD, turn * 2, (uint64_t)&words[3]};
        while (words[3] == turn * 2)
            if (exo_wait(&mine, 1, now() + 1000000000) == -EXO_ETIMEDOUT)
                break;
    }
    is(rounds, 501);
    exo_wait(0, 0, now() + 5000000); // it sleeps again
    is(EXO_FRAMES[fn].sleepers, 1);
    peer_end(&peer);
    is(EXO_FRAMES[fn].sleepers, 0);
}

static exo_handle_t run_copy;

static void counts(void)
{
    exo_handle_t run = (exo_handle_t)exo_frames_alloc(boot->bank, 2, 0, 0);
    int64_t copy = exo_cap_copy(run, EXO_R_READ, 0, 0);
    struct exo_cond c = {EXO_COND_CAPS, 2, run};
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};

    ok(copy > 0);
    is(exo_cap_identify(run, &info), 0);
    is(exo_wait(&c, 1, now() + 1000000), -EXO_ETIMEDOUT);
    c = (struct exo_cond){EXO_COND_WCAPS, 2, run};
    is(exo_wait(&c, 1, EXO_NEVER), 0);
    is(exo_cap_delete((exo_handle_t)copy), 0);
    is(map(0, run, SHARED, 0, 2, RW), 1);
    is(exo_wake(SHARED + 4096, 1), 0);
    is(exo_cap_delete(run), 0);
    is(EXO_FRAMES[info.first_frame].sleepers, 0);
    (void)run_copy;
}

static void hold(void *arg)
{
    (void)arg;
    for (;;)
        exo_wait(0, 0, EXO_NEVER);
}

// The last other holder dies: whoever waits for that wakes.
static void holder_dies(void)
{
    exo_handle_t run = (exo_handle_t)exo_frames_alloc(boot->bank, 1, 0, 0);
    struct exo_cond c = {EXO_COND_CAPS, 2, run};

    peer_start(&peer, 1, true, 0, 0, hold, 0);
    give(&peer, run, EXO_R_READ);
    is(exo_wait(&c, 1, now() + 5000000), -EXO_ETIMEDOUT);
    is(exo_env_kill(peer.env, 0, 0), 0);
    is(exo_wait(&c, 1, now() + 1000000000), 0);
    peer_end(&peer);
    is(exo_cap_delete(run), 0);
}

void test_main(void)
{
    conditions();
    other_side();
    counts();
    holder_dies();
}
