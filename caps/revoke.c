// SPDX-License-Identifier: MIT
//
// Bounded revocation, of a slot's descendants and of a whole object.
//
// The descendants of a slot follow its opening mark, so revoking is: while an opening mark
// follows, delete its slot. Deleting moves the children up to the same place, so the loop meets
// them next; no order needs to be remembered between calls, and any caller can go on.
//
// Racing derivations. As long as one slot of an object is marked as being revoked, or the object
// is dying, derive and copy refuse. They call obj_help first, which walks the object's list in
// circles from where the last helper stopped and does the work of whatever marked slot it meets.
// While anything is marked the list cannot grow, so the helpers come to an end; a caller that
// began to revoke and went away therefore delays others but does not stop them.
//
// The object of a dying slot may be released by cap_hook_unref of its last capability: the object
// is not touched after that deletion.

#include "internal.h"

static void revoke_done(struct cap_slot *slot)
{
    slot->flags &= (uint8_t)~CAP_FLAG_REVOKING;
    if (--slot->obj->revoking == 0)
        slot->obj->scan = NULL;
}

int cap_revoke(struct cap_slot *slot, uint32_t budget)
{
    struct cap_slot *child;

    if (!slot->type)
        return CAP_EBADHANDLE;
    if (!(slot->flags & CAP_FLAG_REVOKING)) {
        slot->flags |= CAP_FLAG_REVOKING;
        slot->obj->revoking++;
    }
    while ((child = cap_child_first(slot))) {
        if (budget-- == 0)
            return CAP_AGAIN;
        cap_delete(child);
    }
    revoke_done(slot);
    return CAP_OK;
}

int cap_obj_revoke_all(struct cap_obj *obj, uint32_t budget)
{
    uint32_t left = obj->caps;

    obj->dying = true;
    for (; left; left--) {
        if (budget-- == 0)
            return CAP_AGAIN;
        if (left == 1)
            break;
        cap_delete(cap_obj_first(obj));
    }
    obj->dying = false;
    if (left)
        cap_delete(cap_obj_first(obj));
    return CAP_OK;
}

bool obj_help(struct cap_obj *obj)
{
    struct cap_slot *slot, *child;

    if (obj->dying) {
        cap_obj_revoke_all(obj, CAP_HELP_STEPS / CAP_HELP_DELETE);
        return true;
    }
    if (!obj->revoking)
        return false;
    for (int steps = CAP_HELP_STEPS; steps > 0 && obj->revoking; steps--) {
        if (!obj->scan)
            obj->scan = TAILQ_FIRST(&obj->marks);
        slot = cap_mark_opened(obj->scan);
        if (!slot || !(slot->flags & CAP_FLAG_REVOKING)) {
            obj->scan = TAILQ_NEXT(obj->scan, link);
        } else if ((child = cap_child_first(slot))) {
            cap_delete(child);
            steps -= CAP_HELP_DELETE - 1;
        } else {
            revoke_done(slot);
        }
    }
    return true;
}
