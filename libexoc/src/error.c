// SPDX-License-Identifier: MIT
// Texts of the kernel's errors, from the list that also numbers them (<exo/errors.def>).
#include <exo/exo.h>

const char *exo_error_text(int64_t error)
{
    switch (error < 0 ? -error : error) {
    case EXO_OK:
        return "no error";
#define X(name, number, meaning)                                                                   \
    case number:                                                                                   \
        return meaning;
#include <exo/errors.def>
#undef X
    default:
        return "unknown error of the kernel";
    }
}
