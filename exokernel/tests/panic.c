// SPDX-License-Identifier: MIT
// The first environment exits: there is nothing left to run.
#include "test.h"

void test_main(void)
{
    exo_env_exit(42);
}
