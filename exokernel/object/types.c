// SPDX-License-Identifier: MIT
//
// The table of object types: what the kernel does differently for each, found by kobj.type.

#include <object/kobj.h>

// Nothing ends with them: an interrupt's binding goes with the slot.
static const struct kobj_ops device_ops = {.name = "device", .release = kobj_free};

const struct kobj_ops *const kobj_ops[EXO_CAP_TYPES] = {
    [KOBJ_CTX] = &ctx_ops,
    [EXO_CAP_BANK] = &bank_ops,
    [EXO_CAP_FRAMES] = &frames_ops,
    [EXO_CAP_SEGMENT] = &segment_ops,
    [EXO_CAP_ASPACE] = &aspace_ops,
    [EXO_CAP_ENV] = &env_ops,
    [EXO_CAP_ENDPOINT] = &endpoint_ops,
    [EXO_CAP_SLICE] = &slice_ops,
    [EXO_CAP_IRQ] = &device_ops,
    [EXO_CAP_IOPORT] = &device_ops,
    [EXO_CAP_DEVICE] = &device_ops,
    [EXO_CAP_MACHINE] = &device_ops,
};
