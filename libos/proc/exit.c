// SPDX-License-Identifier: MIT
//
// The end of a process: its environment exits with the wait status, and init, its supervisor, makes
// a zombie of the record. Everything else, locks, pipe ends, mappings, goes with the capabilities;
// nothing relies on code that runs here.
#include <core/core.h>

void proc_exit(int status)
{
    fd_close_all();
    for (;;)
        exo_env_exit((uint64_t)status);
}

long px_exit_group(int code)
{
    proc_exit((code & 0xff) << 8);
}

// The only thread's end is the process's.
long px_exit(int code)
{
    proc_exit((code & 0xff) << 8);
}
