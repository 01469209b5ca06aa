// SPDX-License-Identifier: MIT
// Pages shared with clients, one for each: of an open inode (struct fs_node), of a process that
// keeps opens (idle.c). They are mapped one beside the other; a page whose capabilities are all
// revoked is used again.
#include "fsd.h"
#include <stdlib.h>
#include <string.h>

#define POOL_PAGES 64u
#define WINDOWS    (SERVER_WINDOWS + (1ull << 40))

struct spare {
    SLIST_ENTRY(spare) link;
    struct page page;
};
static SLIST_HEAD(spares, spare) pool = SLIST_HEAD_INITIALIZER(pool); // zero, nobody else has it
static struct spares places =
    SLIST_HEAD_INITIALIZER(places);                         // windows given back: `at` alone counts
static struct spares blank = SLIST_HEAD_INITIALIZER(blank); // of no page at present
static uint32_t npool;
static uint64_t next_place;

static struct spare *spare_new(void)
{
    struct spare *p = SLIST_FIRST(&blank);
    if (!p)
        return calloc(1, sizeof(*p));
    SLIST_REMOVE_HEAD(&blank, link);
    return p;
}

static struct spare *place_new(void)
{
    struct spare *p = SLIST_FIRST(&places);
    if (p) {
        SLIST_REMOVE_HEAD(&places, link);
        return p;
    }
    p = spare_new();
    if (p)
        p->page.at = (void *)(WINDOWS + next_place++ * PAGE);
    return p;
}

void page_unmapped(void *window)
{
    struct spare *p = spare_new();
    if (!p)
        return; // address space is plenty
    p->page.at = window;
    SLIST_INSERT_HEAD(&places, p, link);
}

static struct spare *page_buy(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    struct spare *p = place_new();
    int64_t frame = p ? buy_frames(1) : -EXO_ENOMEM;
    if (frame >= 0) {
        struct exo_map_op op = {
            EXO_OP_MAP, 1, (uint64_t)p->page.at, (exo_handle_t)frame, 0, EXO_R_READ | EXO_R_WRITE,
            0};
        if (exo_aspace_batch(0, H_BANK, &op, 1) == 1 &&
            exo_cap_identify((exo_handle_t)frame, &info) >= 0) {
            p->page.cap = (exo_handle_t)frame;
            p->page.frame = info.first_frame;
            return p;
        }
        exo_cap_delete((exo_handle_t)frame);
    }
    if (p)
        SLIST_INSERT_HEAD(&places, p, link);
    return NULL;
}

int page_take(struct page *page)
{
    struct spare *p = SLIST_FIRST(&pool);
    if (p) {
        SLIST_REMOVE_HEAD(&pool, link);
        npool--;
    } else if (!(p = page_buy())) {
        return -LX_ENFILE;
    }
    *page = p->page;
    SLIST_INSERT_HEAD(&blank, p, link);
    return 0;
}

void page_give(const struct page *page, size_t used)
{
    struct spare *p;
    if (npool < POOL_PAGES && reap_now(page->cap) && (p = spare_new())) {
        memset(page->at, 0, used);
        p->page = *page;
        SLIST_INSERT_HEAD(&pool, p, link);
        npool++;
        return;
    }
    reap(page->cap, page->at);
}

bool page_evict(void)
{
    struct spare *p = SLIST_FIRST(&pool);
    if (!p)
        return false;
    SLIST_REMOVE_HEAD(&pool, link);
    npool--;
    exo_cap_delete(p->page.cap);
    SLIST_INSERT_HEAD(&places, p, link);
    return true;
}
