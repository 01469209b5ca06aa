// SPDX-License-Identifier: MIT
// What clients make us keep (opens, nodes, segments, locks) is paid from our bank, so each user has
// a share of it: a quarter, and all users but root together a half. The rest is root's, and the
// blocks of files. A job with a bank of its own counts as a user, whoever runs in it.
//
// Counted in units of QUOTA_UNIT bytes. A user that holds nothing has no record.
#include "fsd.h"
#include <stdlib.h>

#define HASH 64u

struct user {
    LIST_ENTRY(user) link;
    uint32_t uid;
    uint64_t held;
};

static LIST_HEAD(, user) users[HASH];
static uint64_t share, total, held_by_users;

int quota_init(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    if (exo_cap_identify(H_BANK, &info) < 0 || info.used > info.length)
        return -LX_EIO;
    total = (info.length - info.used) * (PAGE / QUOTA_UNIT);
    share = total / 4;
    total /= 2;
    return 0;
}

static struct user *find(uint32_t uid)
{
    struct user *u;
    LIST_FOREACH (u, &users[uid % HASH], link) {
        if (u->uid == uid)
            return u;
    }
    return NULL;
}

int quota_take(uint32_t uid, uint32_t cost)
{
    if (uid == 0)
        return 0;
    struct user *u = find(uid);
    if (held_by_users + cost > total || (u ? u->held : 0) + cost > share)
        return -LX_ENFILE;
    if (!u) {
        u = calloc(1, sizeof(*u));
        if (!u)
            return -LX_ENFILE;
        u->uid = uid;
        LIST_INSERT_HEAD(&users[uid % HASH], u, link);
    }
    u->held += cost;
    held_by_users += cost;
    return 0;
}

void quota_give(uint32_t uid, uint32_t cost)
{
    struct user *u = uid ? find(uid) : NULL;
    if (!u)
        return;
    held_by_users -= cost;
    u->held -= cost;
    if (u->held)
        return;
    LIST_REMOVE(u, link);
    free(u);
}
