// SPDX-License-Identifier: MIT
//
// What the files of caps/ share: marks, and the passage of a slot between vacant and used. A slot
// is on its table's list of vacant slots exactly when it is vacant, through its opening mark,
// which is in an object's list exactly when it is used.
#ifndef CAPS_INTERNAL_H
#define CAPS_INTERNAL_H

#include <caps/cspace.h>

// Work done for unfinished revocations by one who stumbles on them: steps along the list, of
// which a deletion counts as CAP_HELP_DELETE. A test sets it small to meet half-done work.
#ifndef CAP_HELP_STEPS
#define CAP_HELP_STEPS 512
#endif
#define CAP_HELP_DELETE 16

// Puts a slot that names nothing back on its table's list, with the next generation.
void slot_vacate(struct cap_slot *slot);

// Does a part of what is condemned among obj's slots. False when nothing is.
bool obj_help(struct cap_obj *obj);

#endif
