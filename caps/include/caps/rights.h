// SPDX-License-Identifier: MIT
//
// Rights are a 32-bit mask carried by every capability. They only ever shrink: a derived or
// copied capability holds a subset of its source's rights. Four bits mean the same for every
// type and are the only ones caps/ itself looks at or names; bits 4 to 31 belong to the type.
#ifndef CAPS_RIGHTS_H
#define CAPS_RIGHTS_H

#include <stdint.h>

#define CAP_R_READ       (1u << 0)
#define CAP_R_WRITE      (1u << 1) // counted per object in cap_obj.wcaps
#define CAP_R_DERIVE     (1u << 2) // may put a badge on a child of an unbadged capability
#define CAP_R_REVOKE     (1u << 3) // may revoke its descendants; asked for by the kernel's lookup
#define CAP_R_TYPE_FIRST 4         // first bit whose meaning depends on the type

static inline int cap_rights_within(uint32_t rights, uint32_t bound)
{
    return (rights & ~bound) == 0;
}

#endif
