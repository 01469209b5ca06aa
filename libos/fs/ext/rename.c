// SPDX-License-Identifier: MIT
//
// rename and its variants.
//
// struct ext_move holds the four inodes a rename touches: the two directories and the two named
// inodes. When both directories are one, `ndir` points to the same copy, so that no store
// overwrites another. The checks make sure that otherwise no two of the four are the same inode: a
// directory may not go into its own subtree (EINVAL), and what is replaced may not contain the
// source (ENOTEMPTY). The order of errors is Linux's.
//
// The climb along ".." that finds subtrees is bounded by the number of inodes: on a damaged volume
// it can run in a circle.
#include "internal.h"

struct ext_move {
    struct ext_inode odir, ndir_store, old, new;
    struct ext_inode *ndir;
    struct ext_slot oslot, nslot;
    const char *oname, *nname;
    uint32_t olen, nlen;
    bool replaces; // the new name exists; `new` and `nslot` are valid
};

// 1: `ino` is `top` or below it.
static int is_below(struct ext_vol *vol, uint32_t ino, uint32_t top)
{
    for (uint32_t hops = 0; hops < vol->ninodes; hops++) {
        struct ext_inode dir;
        if (ino == top)
            return 1;
        if (ino == EXT_ROOT_INO)
            return 0;
        int err = ext_inode_load_dir(vol, ino, &dir);
        if (!err)
            err = ext_dir_parent(vol, &dir, &ino);
        if (err)
            return err;
    }
    return ext_unclean(vol, "directories form a circle");
}

static bool is_dots(const char *name, uint32_t len)
{
    return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

static int move_open(struct ext_vol *vol, uint32_t odir, uint32_t ndir, struct ext_move *m)
{
    int err = ext_writable(vol);
    if (!err)
        err = ext_name_check(m->oname, m->olen);
    if (!err)
        err = ext_name_check(m->nname, m->nlen);
    if (!err)
        err = ext_inode_load_dir(vol, odir, &m->odir);
    m->ndir = &m->odir;
    if (!err && odir != ndir) {
        m->ndir = &m->ndir_store;
        err = ext_inode_load_dir(vol, ndir, m->ndir);
    }
    if (err)
        return err;
    return is_dots(m->oname, m->olen) || is_dots(m->nname, m->nlen) ? -LX_EBUSY : 0;
}

static int move_find(struct ext_vol *vol, struct ext_move *m)
{
    int err = ext_dir_find(vol, &m->odir, m->oname, m->olen, &m->oslot);
    if (!err)
        err = ext_child_load(vol, &m->odir, m->oslot.ino, &m->old);
    if (err)
        return err;
    err = ext_dir_find(vol, m->ndir, m->nname, m->nlen, &m->nslot);
    if (err == -LX_ENOENT)
        return 0;
    m->replaces = !err;
    return err ? err : ext_child_load(vol, m->ndir, m->nslot.ino, &m->new);
}

// Neither side may contain the other's directory.
static int loops_check(struct ext_vol *vol, const struct ext_move *m, bool exchange)
{
    if (LX_S_ISDIR(m->old.mode)) {
        int below = is_below(vol, m->ndir->ino, m->old.ino);
        if (below)
            return below < 0 ? below : -LX_EINVAL;
    }
    if (m->replaces && LX_S_ISDIR(m->new.mode)) {
        int below = is_below(vol, m->odir.ino, m->new.ino);
        if (below)
            return below < 0 ? below : exchange ? -LX_EINVAL : -LX_ENOTEMPTY;
    }
    // An entry may name a directory that is not where it says, on a damaged volume.
    if (m->old.ino == m->odir.ino || m->old.ino == m->ndir->ino ||
        (m->replaces && (m->new.ino == m->odir.ino || m->new.ino == m->ndir->ino)))
        return ext_unclean(vol, "a directory names its own parent");
    return 0;
}

static int move_access(const struct ext_move *m, const struct ext_cred *cred, bool exchange)
{
    bool across = m->ndir != &m->odir;
    int err = ext_may_remove(&m->odir, &m->old, cred);
    if (!err && m->replaces)
        err = ext_may_remove(m->ndir, &m->new, cred);
    else if (!err)
        err = ext_may_change(m->ndir, cred);
    if (!err && across && LX_S_ISDIR(m->old.mode)) // its ".." changes
        err = ext_cred_access(&m->old, cred, EXT_W);
    if (!err && across && exchange && LX_S_ISDIR(m->new.mode))
        err = ext_cred_access(&m->new, cred, EXT_W);
    return err;
}

static int replace_check(struct ext_vol *vol, const struct ext_move *m)
{
    bool old_dir = LX_S_ISDIR(m->old.mode), new_dir = LX_S_ISDIR(m->new.mode);
    if (old_dir != new_dir)
        return old_dir ? -LX_ENOTDIR : -LX_EISDIR;
    if (!new_dir)
        return 0;
    int empty = ext_dir_is_empty(vol, &m->new);
    return empty < 0 ? empty : empty ? 0 : -LX_ENOTEMPTY;
}

static int move_check(struct ext_vol *vol, const struct ext_move *m, const struct ext_cred *cred,
                      uint32_t flags)
{
    bool exchange = flags & LX_RENAME_EXCHANGE;
    int err = loops_check(vol, m, exchange);
    if (!err)
        err = move_access(m, cred, exchange);
    if (!err && m->replaces && !exchange)
        err = replace_check(vol, m);
    if (err || m->ndir == &m->odir)
        return err;
    bool in = LX_S_ISDIR(m->old.mode), out = m->replaces && LX_S_ISDIR(m->new.mode);
    if (in && !out && m->ndir->nlink >= EXT_LINK_MAX)
        return -LX_EMLINK;
    if (exchange && out && !in && m->odir.nlink >= EXT_LINK_MAX)
        return -LX_EMLINK;
    return 0;
}

static void nlink_less(struct ext_inode *dir)
{
    if (dir->nlink > 2)
        dir->nlink--;
}

static int dirs_store(struct ext_vol *vol, struct ext_move *m)
{
    ext_inode_touch(vol, &m->odir, true);
    ext_inode_touch(vol, m->ndir, true);
    int err = ext_inode_store(vol, &m->odir);
    return err || m->ndir == &m->odir ? err : ext_inode_store(vol, m->ndir);
}

static int new_name_set(struct ext_vol *vol, struct ext_move *m, uint32_t *orphan)
{
    if (!m->replaces)
        return ext_dir_add(vol, m->ndir, m->nname, m->nlen, m->old.ino, m->old.mode);
    int err = ext_dir_replace(vol, &m->nslot, m->old.ino, m->old.mode);
    ext_name_told(vol, m->ndir->ino, m->nname, m->nlen);
    if (!err)
        err = ext_nlink_drop(vol, &m->new, orphan);
    if (!err && LX_S_ISDIR(m->new.mode))
        nlink_less(m->ndir);
    return err;
}

static void dir_told(struct ext_vol *vol, const struct ext_inode *dir, uint32_t from, uint32_t to)
{
    if (vol->watch && LX_S_ISDIR(dir->mode))
        vol->watch->moved(dir->ino, from, to);
}

static int move_apply(struct ext_vol *vol, struct ext_move *m, uint32_t *orphan)
{
    bool up = LX_S_ISDIR(m->old.mode) && m->ndir != &m->odir;
    int err = new_name_set(vol, m, orphan);
    if (!err)
        err = ext_dir_remove(vol, &m->odir, m->oname, m->olen, &m->oslot);
    if (!err && up) {
        err = ext_dir_set_parent(vol, &m->old, m->ndir->ino);
        nlink_less(&m->odir);
        m->ndir->nlink++;
    }
    ext_inode_touch(vol, &m->old, false);
    dir_told(vol, &m->old, m->odir.ino, m->ndir->ino);
    if (!err)
        err = ext_inode_store(vol, &m->old);
    return err ? err : dirs_store(vol, m);
}

static int exchange_apply(struct ext_vol *vol, struct ext_move *m)
{
    bool across = m->ndir != &m->odir;
    int err = ext_dir_replace(vol, &m->nslot, m->old.ino, m->old.mode);
    if (!err)
        err = ext_dir_replace(vol, &m->oslot, m->new.ino, m->new.mode);
    ext_name_told(vol, m->odir.ino, m->oname, m->olen);
    ext_name_told(vol, m->ndir->ino, m->nname, m->nlen);
    if (!err && across && LX_S_ISDIR(m->old.mode)) {
        err = ext_dir_set_parent(vol, &m->old, m->ndir->ino);
        nlink_less(&m->odir);
        m->ndir->nlink++;
    }
    if (!err && across && LX_S_ISDIR(m->new.mode)) {
        err = ext_dir_set_parent(vol, &m->new, m->odir.ino);
        nlink_less(m->ndir);
        m->odir.nlink++;
    }
    ext_inode_touch(vol, &m->old, false);
    ext_inode_touch(vol, &m->new, false);
    dir_told(vol, &m->old, m->odir.ino, m->ndir->ino);
    dir_told(vol, &m->new, m->ndir->ino, m->odir.ino);
    if (!err)
        err = ext_inode_store(vol, &m->old);
    if (!err)
        err = ext_inode_store(vol, &m->new);
    return err ? err : dirs_store(vol, m);
}

static int flags_check(uint32_t flags)
{
    if (flags & ~(LX_RENAME_NOREPLACE | LX_RENAME_EXCHANGE))
        return -LX_EINVAL;
    return (flags & LX_RENAME_NOREPLACE) && (flags & LX_RENAME_EXCHANGE) ? -LX_EINVAL : 0;
}

static int move_run(struct ext_vol *vol, const struct ext_cred *cred, struct ext_move *m,
                    uint32_t flags, uint32_t *orphan)
{
    int err = move_find(vol, m);
    if (!err && m->replaces && (flags & LX_RENAME_NOREPLACE))
        err = -LX_EEXIST;
    if (!err && !m->replaces && (flags & LX_RENAME_EXCHANGE))
        err = -LX_ENOENT;
    if (err)
        return err;
    if (m->replaces && m->old.ino == m->new.ino) // two names of one inode: POSIX says do nothing
        return 0;
    err = move_check(vol, m, cred, flags);
    if (err)
        return err;
    ext_cred_note(vol, cred);
    uint32_t mark = ext_txn_begin(vol);
    bool exchange = flags & LX_RENAME_EXCHANGE;
    err = exchange ? exchange_apply(vol, m) : move_apply(vol, m, orphan);
    err = ext_txn_end(vol, mark, err);
    return m->replaces && !exchange ? ext_gone_end(vol, err, &m->new, orphan) : err;
}

int ext_rename(struct ext_vol *vol, const struct ext_cred *cred, uint32_t odir, const char *oname,
               uint32_t olen, uint32_t ndir, const char *nname, uint32_t nlen, uint32_t flags,
               uint32_t *orphan)
{
    struct ext_move m = {.oname = oname, .olen = olen, .nname = nname, .nlen = nlen};
    *orphan = 0;
    int err = flags_check(flags);
    if (!err)
        err = move_open(vol, odir, ndir, &m);
    if (!err)
        err = move_run(vol, cred, &m, flags, orphan);
    if (err)
        *orphan = 0;
    return err;
}
