// SPDX-License-Identifier: MIT
//
// What each operation on capabilities is supposed to do, told naively: parents by number, an order
// of slots in each object, and no marks. It changes a shape as core.c then expects the real core to
// have changed the memory. Work of which the order is the implementation's own is core.c's to
// follow.

#include "core.h"

#include <string.h>

#include <caps/cspace.h>

static bool spec_descends(const struct shape *sh, int s, int from)
{
    while (s && s != from)
        s = sh->parent[s];
    return s;
}

bool spec_parent(const struct shape *sh, int of)
{
    for (int s = 1; s <= ALL; s++)
        if (sh->parent[s] == of)
            return true;
    return false;
}

static bool spec_vacant(const struct shape *sh, int s)
{
    return !sh->obj[s] && !(sh->bits[s] & RETIRED);
}

static bool spec_blocked(const struct shape *sh, int o)
{
    bool blocked = sh->dying[o];

    for (int s = 1; s <= ALL; s++)
        blocked |= sh->obj[s] == o + 1 && sh->bits[s] & REVOKING;
    return blocked;
}

bool spec_condemned(const struct shape *sh, int s)
{
    int up = sh->parent[s];

    if (!sh->obj[s] || sh->dying[sh->obj[s] - 1])
        return sh->obj[s];
    while (up && !(sh->bits[up] & REVOKING))
        up = sh->parent[up];
    return up;
}

void spec_delete(struct shape *sh, int s)
{
    uint8_t *order = sh->order[sh->obj[s] - 1], *at = memchr(order, s, ALL);

    memmove(at, at + 1, (size_t)(order + ALL - 1 - at));
    order[ALL - 1] = 0;
    for (int c = 1; c <= ALL; c++)
        if (sh->parent[c] == s)
            sh->parent[c] = sh->parent[s];
    sh->obj[s] = sh->rights[s] = sh->bits[s] = sh->parent[s] = 0;
    if (!GENERATIONS)
        return;
    if (sh->gen[s] == GENERATIONS - 1)
        sh->bits[s] = RETIRED;
    else
        sh->gen[s]++;
}

// `place` slots stand before the new one.
static void spec_insert(struct shape *sh, int s, int o, int place)
{
    uint8_t *at = &sh->order[o][place];

    memmove(at + 1, at, (size_t)(ALL - 1 - place));
    *at = (uint8_t)s;
    sh->obj[s] = (uint8_t)(o + 1);
}

static int spec_root(struct shape *sh, const struct op *op)
{
    int place = 0;

    if (!spec_vacant(sh, op->a))
        return CAP_EUSED;
    if (sh->dying[op->b])
        return CAP_AGAIN;
    while (place < ALL && sh->order[op->b][place])
        place++;
    spec_insert(sh, op->a, op->b, place);
    sh->rights[op->a] = (uint8_t)op->rights;
    sh->bits[op->a] = (uint8_t)(op->extra * BADGE);
    return CAP_OK;
}

static int spec_make(struct shape *sh, int src, int dst, uint32_t rights, int badge, bool child)
{
    int o = sh->obj[src] - 1, after = src, place = 0;

    if (o < 0)
        return CAP_EBADHANDLE;
    if (!spec_vacant(sh, dst))
        return CAP_EUSED;
    if (rights & ~(uint32_t)sh->rights[src])
        return CAP_ERIGHTS;
    if (badge && sh->bits[src] / BADGE)
        return CAP_EBADGE;
    if (badge && !(sh->rights[src] & CAP_R_DERIVE))
        return CAP_ERIGHTS;
    if (spec_blocked(sh, o))
        return CAP_AGAIN;
    for (int i = 0; !child && i < ALL && sh->order[o][i]; i++)
        if (spec_descends(sh, sh->order[o][i], src))
            after = sh->order[o][i];
    while (sh->order[o][place++] != after)
        ;
    spec_insert(sh, dst, o, place);
    sh->parent[dst] = (uint8_t)(child ? src : sh->parent[src]);
    sh->rights[dst] = (uint8_t)rights;
    sh->bits[dst] = (uint8_t)((badge ? badge : sh->bits[src] / BADGE) * BADGE);
    return CAP_OK;
}

static int spec_revoke(struct shape *sh, int top, int budget)
{
    if (!sh->obj[top])
        return CAP_EBADHANDLE;
    sh->bits[top] |= REVOKING;
    while (spec_parent(sh, top)) {
        uint8_t *order = sh->order[sh->obj[top] - 1];

        if (budget-- == 0)
            return CAP_AGAIN;
        spec_delete(sh, *((uint8_t *)memchr(order, top, ALL) + 1));
    }
    sh->bits[top] &= (uint8_t)~REVOKING;
    return CAP_OK;
}

static int spec_revoke_all(struct shape *sh, int o, int budget)
{
    sh->dying[o] = true;
    while (sh->order[o][0]) {
        if (budget-- == 0)
            return CAP_AGAIN;
        spec_delete(sh, sh->order[o][0]);
    }
    sh->dying[o] = false;
    return CAP_OK;
}

// Slots are looked at in circles from behind `at`; those without a number have no capability.
static int spec_clear(struct shape *sh, int t, int at, int budget)
{
    for (;;) {
        bool used = false;

        for (int s = 1; s <= SLOTS; s++)
            used |= sh->obj[t * SLOTS + s] != 0;
        if (!used)
            return CAP_OK;
        if (budget-- == 0)
            return CAP_AGAIN;
        at = at + 1 == (int)CSPACE_SLOTS_PER_PAGE ? 1 : at + 1;
        if (at <= SLOTS && sh->obj[t * SLOTS + at])
            spec_delete(sh, t * SLOTS + at);
    }
}

static int spec_clone(struct shape *sh, int src, int dst, bool copy)
{
    bool past = sh->obj[src] && !copy;

    if (!spec_vacant(sh, dst) || sh->gen[dst] > sh->gen[src])
        return CAP_EUSED;
    sh->gen[dst] = sh->gen[src];
    if (sh->bits[src] & RETIRED || (past && sh->gen[src] == GENERATIONS - 1))
        sh->bits[dst] = RETIRED;
    else
        sh->gen[dst] += past;
    return sh->obj[src] && copy ? spec_make(sh, src, dst, sh->rights[src], 0, false) : CAP_OK;
}

int spec(struct shape *sh, const struct op *op)
{
    switch (op->kind) {
    case ROOT:
        return spec_root(sh, op);
    case DERIVE:
        return spec_make(sh, op->a, op->b, op->rights, op->extra, true);
    case COPY:
        return spec_make(sh, op->a, op->b, op->rights, 0, false);
    case DELETE:
        if (sh->obj[op->a])
            spec_delete(sh, op->a);
        return CAP_OK;
    case REVOKE:
        return spec_revoke(sh, op->a, op->extra);
    case REVOKE_ALL:
        return spec_revoke_all(sh, op->a, op->extra);
    case CLEAR:
        return spec_clear(sh, op->a, op->b, op->extra);
    case CLONE:
        return spec_clone(sh, op->a, op->b, op->extra);
    case FLAG:
        if (sh->obj[op->a])
            sh->bits[op->a] ^= (uint8_t)op->rights;
        return CAP_OK;
    }
    return 1;
}
