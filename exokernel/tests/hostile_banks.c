// SPDX-License-Identifier: MIT
// Banks: drained to the last frame before each thing that can be bought, so that every step of
// every purchase fails once; and what banks must not be made to do.
#include "attempt.h"

#define FAR  0x0000300000000000ull
#define FAR2 0x0000310000000000ull
#define SIZE 200
#define MOST 60 // what the dearest purchase here costs, and some

static char scratch[4096];

// --- purchases
// -----------------------------------------------------------------------------------------------

static exo_handle_t made[4]; // what a purchase needs to be there before, bought from the root bank
static uint64_t cursor;

static int64_t op_with(exo_handle_t bank, uint32_t kind, uint64_t va, uint32_t pages,
                       exo_handle_t cap, uint64_t first)
{
    struct exo_map_op op = {
        kind, pages, va, cap, first, kind == EXO_OP_BUY || kind == EXO_OP_MAP ? EXO_R_READ : 0, 0};
    int64_t done = exo_aspace_batch(made[0], bank, &op, 1);

    return done == 1 ? 0 : done < 0 ? done : -EXO_EINVAL;
}

static int64_t buy_frames(exo_handle_t bank)
{
    return exo_frames_alloc(bank, 5, 0, 0);
}

static int64_t buy_segment(exo_handle_t bank)
{
    return exo_segment_create(bank);
}

static int64_t buy_aspace(exo_handle_t bank)
{
    return exo_aspace_create(bank);
}

static int64_t buy_endpoint(exo_handle_t bank)
{
    return exo_endpoint_create(bank);
}

static int64_t buy_environment(exo_handle_t bank)
{
    return exo_env_create(bank, made[0], 0, 0);
}

static int64_t buy_context(exo_handle_t bank)
{
    return exo_ctx_create(made[1], bank, made[2], FAR);
}

static int64_t buy_bank(exo_handle_t bank)
{
    return exo_bank_split(bank, 3);
}

static int64_t buy_pages(exo_handle_t bank)
{
    return op_with(bank, EXO_OP_BUY, FAR, 9, 0, 0);
}

static int64_t map_window(exo_handle_t bank)
{
    return op_with(bank, EXO_OP_MAP, FAR, 2, made[2], 0);
}

static int64_t map_segment(exo_handle_t bank)
{
    return op_with(bank, EXO_OP_MAP, FAR, 512, made[3], 0);
}

static int64_t move_pages(exo_handle_t bank)
{
    return op_with(bank, EXO_OP_MOVE, FAR2, 1, 0, FAR);
}

static int64_t break_cow(exo_handle_t bank)
{
    return op_with(bank, EXO_OP_COW_BREAK, FAR, 1, 0, 0);
}

static int64_t clone_pages(exo_handle_t bank)
{
    static const struct exo_region region = {WITNESS, WITNESS + 4096, EXO_CLONE_COPY, 0};
    int64_t r;

    cursor = 0;
    do
        r = exo_aspace_clone(made[0], bank, &region, 1, &cursor);
    while (r == -EXO_EAGAIN);
    return r;
}

static int64_t grow_table(exo_handle_t bank)
{
    int64_t r = exo_env_set_aspace(made[1], 0, bank);

    return r ? r : exo_cap_copy(boot->env, EXO_R_NOTIFY, made[1], 400) > 0 ? 0 : -EXO_ENOMEM;
}

static int64_t clone_table(exo_handle_t bank)
{
    int64_t r = exo_env_set_aspace(made[1], 0, bank);

    cursor = 0;
    while (!r && (r = exo_cap_clone_table(made[1], 0, 0, &cursor, 0)) == -EXO_EAGAIN)
        r = 0;
    return r;
}

static int64_t split_slice(exo_handle_t bank)
{
    (void)bank; // pays: the bank its source was bought from
    return exo_slice_split(boot->slice, 1);
}

static int64_t device_memory(exo_handle_t bank)
{
    for (unsigned i = 0; i < boot->ndevices; i++)
        for (unsigned bar = 0; bar < 6; bar++) {
            int64_t r = exo_device_bar(boot->device[i], bar, bank);
            if (r != -EXO_ENOENT && r != -EXO_EBUSY && r != -EXO_EINVAL && r != -EXO_ERIGHTS)
                return r;
        }
    return 0;
}

static const struct purchase {
    const char *name;
    int64_t (*make)(exo_handle_t bank);
    bool handle; // the result is one
} purchases[] = {
    {"a bank drained under frames", buy_frames, true},
    {"a bank drained under a segment", buy_segment, true},
    {"a bank drained under an address space", buy_aspace, true},
    {"a bank drained under an endpoint", buy_endpoint, true},
    {"a bank drained under an environment", buy_environment, true},
    {"a bank drained under a context", buy_context, false},
    {"a bank drained under a bank", buy_bank, true},
    {"a bank drained under pages and their tables", buy_pages, false},
    {"a bank drained under the tables of a window", map_window, false},
    {"a bank drained under the tables of a segment's window", map_segment, false},
    {"a bank drained under moved pages", move_pages, false},
    {"a bank drained under a copy-on-write break", break_cow, false},
    {"a bank drained under a clone of pages", clone_pages, false},
    {"a bank drained under a growing capability table", grow_table, false},
    {"a bank drained under a clone of the table", clone_table, false},
    {"a bank drained under a slice", split_slice, true},
    {"a bank drained under device memory", device_memory, true},
};

// --- draining
// ------------------------------------------------------------------------------------------------

// What the purchases need: an address space with a page at FAR that is shared copy-on-write, an
// environment, frames, a segment.
static void stage_set(bool page)
{
    struct exo_region region = {FAR, FAR + 4096, EXO_CLONE_COW, 0};

    made[0] = try_handle(exo_aspace_create(boot->bank));
    made[1] = try_handle(exo_env_create(boot->bank, made[0], 0, 0));
    made[2] = try_handle(exo_frames_alloc(boot->bank, 2, 0, 0));
    made[3] = try_handle(exo_segment_create(boot->bank));
    if (!page)
        return;
    try(buy(FAR, 1, RW), 1);
    cursor = 0;
    try(exo_aspace_clone(made[0], boot->bank, &region, 1, &cursor), 0);
}

static void stage_clear(bool page)
{
    env_end(made[1]);
    for (unsigned i = 4; i-- > 0;)
        try(exo_cap_delete(made[i]), 0);
    if (page)
        try(unmap(FAR, 1), 1);
}

// One purchase from a bank with `left` frames. Returns its result; a failure must have bought
// nothing.
static int64_t purchase_with(const struct purchase *p, uint64_t left)
{
    bool page = p->make == move_pages || p->make == break_cow;
    exo_handle_t bank, hoard;
    uint64_t used;
    int64_t r, err;

    stage_set(page);
    bank = try_handle(exo_bank_split(boot->bank, SIZE));
    used = info_of(bank).used;
    hoard =
        try_handle(exo_frames_alloc(bank, SIZE - used - left - 1, 0, 0)); // a run is a frame more
    used = info_of(bank).used;
    r = p->make(bank);
    if (r < 0) {
        try(r, -EXO_ENOMEM);
        // Clones carry on where they stopped, and a table keeps the pages it has grown by.
        if (p->make != clone_table && p->make != clone_pages && p->make != grow_table)
            try(info_of(bank).used, used);
    } else if (p->handle && r > 0) {
        while ((err = exo_cap_delete((exo_handle_t)r)) == -EXO_EAGAIN)
            ;
        try(err, 0);
    }
    stage_clear(page);
    try(exo_cap_delete(hoard), 0);
    while ((err = exo_bank_destroy(bank)) == -EXO_EAGAIN)
        ;
    try(err, 0);
    return r;
}

static void drained(void)
{
    for (unsigned i = 0; i < sizeof(purchases) / sizeof(purchases[0]); i++) {
        uint64_t left = 0;
        ATTEMPT(purchases[i].name)
        {
            while (left < MOST && purchase_with(&purchases[i], left) < 0)
                left++;
            try_true(left < MOST);
        }
        put("# costs %lu\n", left);
    }
}

// Two pages go from the end of one table and the start of the next to the end of the one before and
// the start of the first: that table is in use all the time, so nothing has to be bought for it.
static void moved_between_tables(void)
{
    uint64_t table = 512 * 4096, from = FAR + 2 * table - 4096, to = FAR + table - 4096;
    exo_handle_t bank, hoard;
    int64_t err;

    ATTEMPT("pages moved between tables by a bank with nothing left")
    {
        stage_set(false);
        bank = try_handle(exo_bank_split(boot->bank, SIZE));
        hoard = try_handle(exo_frames_alloc(bank, SIZE - info_of(bank).used - 1, 0, 0));
        try(op_with(boot->bank, EXO_OP_BUY, FAR, 1, 0, 0), 0);
        try(op_with(boot->bank, EXO_OP_BUY, from, 2, 0, 0), 0);
        try(op_with(bank, EXO_OP_BUY, FAR + 4096, 1, 0, 0), -EXO_ENOMEM);
        try(op_with(bank, EXO_OP_MOVE, to, 2, 0, from), 0);
        try(op_with(bank, EXO_OP_MOVE, from, 2, 0, to), -EXO_ENOMEM); // its second table is gone
        try(op_with(boot->bank, EXO_OP_MOVE, from, 2, 0, to), 0);
        stage_clear(false);
        try(exo_cap_delete(hoard), 0);
        while ((err = exo_bank_destroy(bank)) == -EXO_EAGAIN)
            ;
        try(err, 0);
    }
}

// --- what banks must not do
// -----------------------------------------------------------------------------------

static void misused(void)
{
    exo_handle_t bank = (exo_handle_t)exo_bank_split(boot->bank, 50);
    exo_handle_t buyer = (exo_handle_t)exo_cap_copy(bank, EXO_R_BUY | EXO_R_READ, 0, 0);
    exo_handle_t reader = (exo_handle_t)exo_cap_copy(bank, EXO_R_READ, 0, 0);

    ATTEMPT("a child bank of more than its parent has, or of a number that wraps")
    {
        try(exo_bank_split(bank, 51), -EXO_ENOMEM);
        try_fails(exo_bank_split(bank, UINT64_MAX));
        try_fails(exo_bank_split(bank, UINT64_MAX - 49));
        try_fails(exo_bank_split(bank, 1ull << 63));
    }
    ATTEMPT("a bank split, folded or destroyed by one who may only buy")
    {
        try(exo_bank_split(buyer, 1), -EXO_ERIGHTS);
        try(exo_bank_fold(buyer), -EXO_ERIGHTS);
        try(exo_bank_destroy(buyer), -EXO_ERIGHTS);
        try(exo_frames_alloc(reader, 1, 0, 0), -EXO_ERIGHTS);
        try(exo_endpoint_create(reader), -EXO_ERIGHTS);
    }
    ATTEMPT("the root bank folded or destroyed")
    {
        try(exo_bank_fold(boot->bank), -EXO_EINVAL);
        try(exo_bank_destroy(boot->bank), -EXO_EINVAL);
    }
    ATTEMPT("a bank that its own destroyer lives on")
    {
        exo_handle_t env = try_handle(exo_env_create(bank, 0, 0, 0));
        env_end(env);
        try(exo_cap_delete(env), 0);
        try(exo_env_set_aspace(0, 0, bank), 0);
        try(exo_bank_destroy(bank), -EXO_EBUSY);
        try(exo_env_set_aspace(0, 0, boot->bank), 0);
    }
    ATTEMPT("all of a bank, hoarded page by page: nothing is missing elsewhere")
    {
        exo_handle_t page[16];
        unsigned n = 0;
        uint64_t elsewhere = info_of(boot->bank).used;
        int64_t r;
        while (n < 16 && (r = exo_frames_alloc(buyer, 4, 0, 0)) > 0)
            page[n++] = (exo_handle_t)r;
        try(r, -EXO_ENOMEM);
        try(info_of(boot->bank).used, elsewhere);
        try(exo_cap_identify(bank, (void *)scratch), 0);
        while (n--)
            try(exo_cap_delete(page[n]), 0);
    }
    is(exo_cap_delete(reader), 0);
    is(exo_cap_delete(buyer), 0);
    is(exo_cap_delete(bank), 0);
}

void test_main(void)
{
    witness_place();
    drained();
    moved_between_tables();
    misused();
    is(unmap(WITNESS, 1), 1);
}
