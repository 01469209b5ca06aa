# SPDX-License-Identifier: MIT
#
# Commands for gdb on a machine started by `exoc debug`, which has loaded the kernel's symbols and
# the library OS's already. A program's: `exo-program FILE`. What is exposed to every program (the
# tables of <exo/info.h>) is read here from the same place, so these commands work wherever the
# machine was stopped.

set confirm off
set pagination off
set print pretty on
set disassembly-flavor att

define exo-program
  add-symbol-file $arg0
end
document exo-program
exo-program FILE: load the symbols of a static program that is not position-independent.
end

define exo-info
  print *(struct exo_info *)0xffffa00000000000
end
document exo-info
exo-info: the exposed page of machine facts: frames, clock calibration, statistics.
end

define exo-envs
  set $exo_i = 0
  set $exo_envs = (struct exo_env_info *)0xffffa00080000000
  while $exo_i < ((struct exo_info *)0xffffa00000000000)->envs
    if $exo_envs[$exo_i].state != 0
      printf "%4d  state %d  contexts %d  calls %lu  faults %lu  foreign %lu  cpu %lu ns\n", \
        $exo_i, $exo_envs[$exo_i].state, $exo_envs[$exo_i].contexts, $exo_envs[$exo_i].entries, \
        $exo_envs[$exo_i].faults, $exo_envs[$exo_i].foreign, $exo_envs[$exo_i].cpu_ns
    end
    set $exo_i = $exo_i + 1
  end
end
document exo-envs
exo-envs: the environments that are there, with their counters.
end

define exo-frame
  print ((struct exo_frame *)0xffffa00040000000)[$arg0]
end
document exo-frame
exo-frame NUMBER: the exposed record of a physical frame.
end

define exo-ctx
  print *(struct exo_ctx *)$gs_base
end
document exo-ctx
exo-ctx: the context block of the user code that was stopped.
end
