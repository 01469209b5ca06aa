// SPDX-License-Identifier: MIT
// The exposed tables are the fake's.
#include_next <exo/info.h>
#ifndef SHIM_INFO_H
#define SHIM_INFO_H
#undef EXO_INFO
#undef EXO_FRAMES
#undef EXO_ENVS
extern struct exo_info fake_info;
extern struct exo_frame fake_frames[];
extern struct exo_env_info fake_envs[];
#define EXO_INFO   ((const volatile struct exo_info *)&fake_info)
#define EXO_FRAMES ((const volatile struct exo_frame *)fake_frames)
#define EXO_ENVS   ((const volatile struct exo_env_info *)fake_envs)
#endif
