// SPDX-License-Identifier: MIT
// Numbers that C and assembly share.
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H
#define LIBOS_NCALLS 513 // system-call numbers below this one are looked up
#endif
