// SPDX-License-Identifier: MIT
// Errors of kernel calls: EXO_E<NAME>; a call returns -EXO_E<NAME>. The list is errors.def.
#ifndef EXO_ERRORS_H
#define EXO_ERRORS_H
enum exo_error {
    EXO_OK,
#define X(name, number, meaning) EXO_E##name = number,
#include <exo/errors.def>
#undef X
};
#endif
