// SPDX-License-Identifier: MIT
// The pages in which anybody may look names and attributes up without asking us (proto/names.h).
//
// Whatever changes the volume comes by here before it is answered: the volume library tells of
// every name and every inode it changes (ext_watch), and what stood here about them goes. It comes
// back when somebody asks. The name tables are cache.c's.
//
// Attributes of a file that somebody can write to by mapping are never here: only its dirty bits
// tell when it was changed.
#include "fsd.h"
#include <string.h>

#define NAMES 4096u
#define ATTRS 2048u

struct published {
    struct names_head head;
    struct names_name names[NAMES] __attribute__((aligned(64)));
    struct names_attr attrs[ATTRS];
};
_Static_assert(sizeof(struct published) <= NAMES_BYTES, "one segment");

static struct published *published; // NULL: nothing is
static exo_handle_t segment;

// What was written to since the last erasure: it alone is cleared, so an erasure costs no more than
// the calls that filled it.
struct used {
    uint16_t *list;
    uint32_t n;
    uint64_t *bits;
};
static uint16_t used_names_list[NAMES], used_attrs_list[ATTRS];
static uint64_t used_names_bits[NAMES / 64], used_attrs_bits[ATTRS / 64];
static struct used used_names = {used_names_list, 0, used_names_bits};
static struct used used_attrs = {used_attrs_list, 0, used_attrs_bits};

static void use(struct used *u, uint32_t place)
{
    if (u->bits[place / 64] >> place % 64 & 1)
        return;
    u->bits[place / 64] |= 1ull << place % 64;
    u->list[u->n++] = (uint16_t)place;
}

static bool next_used(struct used *u, uint32_t *place)
{
    if (!u->n)
        return false;
    *place = u->list[--u->n];
    u->bits[*place / 64] &= ~(1ull << *place % 64);
    return true;
}

int publish_init(void)
{
    uint64_t pages = (sizeof(*published) + PAGE - 1) / PAGE;
    int64_t frames = buy_frames(pages), seg = buy_segment();
    if (frames < 0 || seg < 0)
        return -LX_ENOMEM;
    published = exo_map((exo_handle_t)frames, 0, pages, EXO_R_READ | EXO_R_WRITE);
    if (!published || exo_segment_fill((exo_handle_t)seg, 0, (exo_handle_t)frames, 0,
                                       pages | (uint64_t)EXO_R_READ << 32) < 0)
        return -LX_ENOMEM;
    segment = (exo_handle_t)seg;
    published->head = (struct names_head){
        .size = sizeof(published->head),
        .version = NAMES_VERSION,
        .root = EXT_ROOT_INO,
        .nnames = NAMES,
        .nattrs = ATTRS,
        .names_at = offsetof(struct published, names),
        .attrs_at = offsetof(struct published, attrs),
        .read_only = vol.read_only,
        .told = 1,
    };
    return 0;
}

struct names_name *publish_names(uint32_t *count)
{
    *count = NAMES;
    return published ? published->names : NULL;
}

void publish_begin(void)
{
    __atomic_store_n(&published->head.seq, published->head.seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void publish_end(void)
{
    __atomic_store_n(&published->head.seq, published->head.seq + 1, __ATOMIC_RELEASE);
}

void publish_erase(void)
{
    uint32_t place;
    if (!used_names.n && !used_attrs.n)
        return;
    publish_begin();
    while (next_used(&used_names, &place))
        memset(&published->names[place], 0, sizeof(published->names[place]));
    while (next_used(&used_attrs, &place))
        memset(&published->attrs[place], 0, sizeof(published->attrs[place]));
    publish_end();
}

void publish_write(struct names_name *at, const struct names_name *name)
{
    publish_begin();
    use(&used_names, (uint32_t)(at - published->names));
    *at = *name;
    publish_end();
}

void attr_erase(uint32_t ino)
{
    struct names_attr *a = published ? &published->attrs[ino % ATTRS] : NULL;
    if (!a || a->st.st_ino != ino)
        return;
    publish_begin();
    a->st.st_ino = 0;
    publish_end();
}

void attr_forget(uint32_t ino)
{
    told_changed(ino);
    node_attr_forget(ino);
    attr_erase(ino);
}

// --- what is told to one process alone -----------------------------------------------------------

#define TOLD 8192u // bits

static uint64_t told[TOLD / 64]; // by inode number, since the number last changed

void told_mark(uint32_t ino)
{
    told[ino % TOLD / 64] |= 1ull << ino % 64;
}

void told_all_changed(void)
{
    memset(told, 0, sizeof(told));
    if (!published)
        return;
    uint32_t next = published->head.told + 1;
    __atomic_store_n(&published->head.told, next ? next : 1, __ATOMIC_SEQ_CST);
}

void told_changed(uint32_t ino)
{
    if (told[ino % TOLD / 64] >> ino % 64 & 1)
        told_all_changed();
}

// Not of a file that is written to by mapping: only its dirty bits tell when.
uint32_t told_number(const struct request *r, const struct node *n, uint32_t ino)
{
    if (!published || !r->told || r->is_public || (n && n->written))
        return 0;
    told_mark(ino);
    return published->head.told;
}

void publish_moved(void)
{
    if (published)
        __atomic_add_fetch(&published->head.moved, 1, __ATOMIC_SEQ_CST);
}

// What r->path led to, if it went through what everybody may know.
void attr_publish(const struct request *r, const struct ext_inode *inode)
{
    struct names_attr *a = published ? &published->attrs[inode->ino % ATTRS] : NULL;
    if (!a || !r->is_public || a->st.st_ino == inode->ino)
        return;
    const struct node *n = node_find(inode->ino);
    if (n && n->written)
        return;
    uint32_t parent = 0;
    if (LX_S_ISDIR(inode->mode) && ext_lookup(&vol, inode->ino, "..", 2, &parent) < 0)
        return;
    publish_begin();
    use(&used_attrs, inode->ino % ATTRS);
    ext_stat_fill(inode, FS_ROOT_DEV, &a->st);
    a->parent = parent;
    publish_end();
}

long op_names(struct request *r)
{
    if (r->open && r->open->root)
        return -LX_EPERM; // what lies outside its root is not for it
    if (!published)
        return -LX_ENOSYS;
    CTX->send[0] = (struct exo_send){segment, EXO_R_READ, EXO_SEND_DERIVE};
    r->m->meta = EXO_META(0, 1);
    return 0;
}
