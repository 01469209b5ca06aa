// SPDX-License-Identifier: MIT
// The address map. User space is the lower half; the kernel decides nothing in it. The libOS's part
// stands here only so that programs, the libOS and tools agree.
//
//   0xffffffffffffffff +--------------------------------------+
//                      | kernel image (W^X)                   |
//   0xffffffff80000000 +--------------------------------------+  EXO_KERNEL_BASE
//                      | information pages, user read-only:   |
//                      |   +0      struct exo_info            |
//                      |   +1 GiB  struct exo_frame[]         |
//                      |   +2 GiB  struct exo_env_info[]      |
//                      |   +3 GiB  struct exo_slice_info[]    |
//   0xffffa00000000000 +--------------------------------------+  EXO_INFO_BASE
//                      | all RAM, kernel only, no execute     |
//   0xffff800000000000 +--------------------------------------+  EXO_DIRECT_BASE
//                      |          (non-canonical)             |
//   0x0000800000000000 +--------------------------------------+  EXO_USER_END
//                      | libOS: image, data, contexts, stacks,|
//                      | file windows                         |
//   0x00007f8000000000 +--------------------------------------+  EXO_LIBOS_BASE (convention)
//                      | application: stack down from here,   |
//                      | mappings below it, program and heap  |
//                      | at the bottom                        |
//   0x0000000000010000 +--------------------------------------+  EXO_USER_BASE
//                      | never mapped                         |
//   0x0000000000000000 +--------------------------------------+
#ifndef EXO_MEMLAYOUT_H
#define EXO_MEMLAYOUT_H
#define EXO_USER_BASE   0x0000000000010000ull
#define EXO_LIBOS_BASE  0x00007f8000000000ull
#define EXO_USER_END    0x0000800000000000ull
#define EXO_DIRECT_BASE 0xffff800000000000ull
#define EXO_INFO_BASE   0xffffa00000000000ull
#define EXO_INFO_FRAMES (EXO_INFO_BASE + (1ull << 30))
#define EXO_INFO_ENVS   (EXO_INFO_BASE + (2ull << 30))
#define EXO_INFO_SLICES (EXO_INFO_BASE + (3ull << 30))
#define EXO_KERNEL_BASE 0xffffffff80000000ull
#endif
