// SPDX-License-Identifier: MIT
//
// Who may do what with an inode: the mode bits, by the rules of POSIX (XBD 4.5 File Access
// Permissions) and of Linux for uid 0. Exactly one class applies: owner, else group, else others; a
// class that denies is not helped by a later one that would allow.
#include "internal.h"

static bool in_list(uint32_t gid, const uint32_t *groups, uint32_t ngroups)
{
    for (uint32_t i = 0; i < ngroups; i++)
        if (groups[i] == gid)
            return true;
    return false;
}

int ext_access(const struct ext_inode *inode, uint32_t uid, uint32_t gid, const uint32_t *groups,
               uint32_t ngroups, uint32_t want)
{
    uint32_t bits = inode->mode;
    if (uid == 0) {
        bool may_run = LX_S_ISDIR(inode->mode) || (inode->mode & 0111);
        return (want & EXT_X) && !may_run ? -LX_EACCES : 0;
    }
    if (uid == inode->uid)
        bits >>= 6;
    else if (gid == inode->gid || in_list(inode->gid, groups, ngroups))
        bits >>= 3;
    return want & ~bits & 7 ? -LX_EACCES : 0;
}

int ext_cred_access(const struct ext_inode *inode, const struct ext_cred *cred, uint32_t want)
{
    if (!cred)
        return 0;
    return ext_access(inode, cred->uid, cred->gid, cred->groups, cred->ngroups, want);
}

bool ext_cred_in_group(const struct ext_cred *cred, uint32_t gid)
{
    return cred->gid == gid || in_list(gid, cred->groups, cred->ngroups);
}

bool ext_sticky_denies(const struct ext_inode *dir, const struct ext_inode *inode, uint32_t uid)
{
    return (dir->mode & LX_S_ISVTX) && uid != 0 && uid != dir->uid && uid != inode->uid;
}
