// SPDX-License-Identifier: MIT
//
// libFuzzer's entry into the model comparison. See model.h.

#include "model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choices c = {.bytes = data, .left = size};

    model_run(&c);
    return 0;
}
