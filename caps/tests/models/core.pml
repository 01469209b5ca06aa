// SPDX-License-Identifier: MIT
//
// Every sequence of operations on a small system of capabilities, by the real caps/: core.c says
// what is done and checked. ops.inc has one alternative for each of the OPS operations.

c_decl {
\#include "core.h"
};
c_track "&shape" "sizeof(shape)"

active proctype caller()
{
    c_code { core_setup(); };
    do
#include "ops.inc"
    od
}
