// SPDX-License-Identifier: MIT
// The exposed tables: physical names and kernel state, mapped read-only into every address space at
// EXO_INFO_BASE. They are hints the moment they are read, except where a call re-checks them
// (wait).
#ifndef EXO_INFO_H
#define EXO_INFO_H
#include <exo/types.h>
#include <exo/memlayout.h>

enum exo_cpu_feature {
    EXO_CPU_FSGSBASE = 1u << 0, // user code may use wrfsbase
    EXO_CPU_RDRAND = 1u << 1,
    EXO_CPU_SMEP = 1u << 2,
    EXO_CPU_SMAP = 1u << 3,
    EXO_CPU_UMIP = 1u << 4,
    EXO_CPU_XSAVE = 1u << 5,
    EXO_CPU_RDTSCP = 1u << 6,
};

// One page at EXO_INFO_BASE.
struct exo_info {
    uint32_t size, version;
    uint64_t frames; // frames in the machine: length of exo_frame[]
    uint64_t envs;   // length of exo_env_info[]
    uint64_t slices; // length of exo_slice_info[]
    uint32_t cpus;
    uint32_t features; // enum exo_cpu_feature
    // Clock: ns = tsc_ns + ((rdtsc() - tsc_base) * tsc_mult >> tsc_shift), the product in 128 bits.
    // Read under the sequence: odd = being changed, and it must be equal before and after.
    uint32_t clock_seq;
    uint32_t tsc_shift;
    uint64_t tsc_mult, tsc_base, tsc_ns;
    uint64_t tsc_hz;
    int64_t wall_ns;      // wall clock (ns since 1970 UTC) when the monotonic clock was 0
    uint64_t tick_ns;     // length of a slice position
    uint64_t frames_free; // statistics
    uint64_t boot_tsc;    // TSC when the kernel was entered
    uint64_t idle_ns;
};

// One for each frame, at EXO_INFO_FRAMES.
struct exo_frame {
    uint32_t sleepers; // contexts waiting on a word of this frame: wake if not 0
    uint32_t caps;     // on the first frame of an allocation: capabilities to it ...
    uint32_t wcaps;    // ... and those with the write right
    uint16_t kind;     // enum exo_frame_kind
    uint16_t refs;     // mappings that hold it (saturating)
};

enum exo_frame_kind {
    EXO_FRAME_NONE, // not RAM, or the firmware's
    EXO_FRAME_FREE,
    EXO_FRAME_KERNEL, // the kernel's image and boot-time tables
    EXO_FRAME_OBJECT, // a kernel object bought from a bank
    EXO_FRAME_TABLE,  // a page table bought from a bank
    EXO_FRAME_ANON,   // bought straight into page tables
    EXO_FRAME_RUN,    // part of a FRAMES allocation
};

enum exo_env_state { EXO_ENV_FREE, EXO_ENV_NEW, EXO_ENV_LIVE, EXO_ENV_DYING, EXO_ENV_DEAD };

// One for each environment, at EXO_INFO_ENVS.
struct exo_env_info {
    uint64_t id;    // exo_env_id_t; index equals the position
    uint32_t state; // enum exo_env_state
    uint32_t contexts;
    uint64_t entries;    // kernel calls made (not interrupts, not faults)
    uint64_t faults;     // fault and exception upcalls
    uint64_t foreign;    // bounced system calls
    uint64_t cpu_ns;     // CPU time used
    uint64_t code;       // exit code, once dying
    uint32_t reason;     // enum exo_death
    uint32_t running_on; // CPU number + 1, or 0
};

enum exo_death {
    EXO_DEATH_NONE,
    EXO_DEATH_EXIT,    // env_exit
    EXO_DEATH_KILLED,  // env_kill
    EXO_DEATH_UPCALL,  // a fault that could not be delivered: no entry, nested too deep, page
                       // missing
    EXO_DEATH_REVOKED, // did not give back what it was asked for; code = identity of the bank
};

struct exo_slice_info {
    uint64_t positions; // of the CPU's vector
    uint32_t cpu;
    uint32_t runnable; // contexts queued
    uint64_t used_ns;
};

#define EXO_INFO   ((const volatile struct exo_info *)EXO_INFO_BASE)
#define EXO_FRAMES ((const volatile struct exo_frame *)EXO_INFO_FRAMES)
#define EXO_ENVS   ((const volatile struct exo_env_info *)EXO_INFO_ENVS)
#define EXO_SLICES ((const volatile struct exo_slice_info *)EXO_INFO_SLICES)
#endif
