// SPDX-License-Identifier: MIT
// Call numbers and the structures calls take.
#ifndef EXO_CALLS_H
#define EXO_CALLS_H
#include <exo/types.h>
#include <exo/errors.h>
#include <exo/ctx.h>
#include <exo/info.h>

// SYSCALL with rax = EXO_CALL_MARK | number is a kernel call; anything else is foreign.
#define EXO_CALL_MARK 0x45584f4300000000ull

enum exo_call {
#define CALL(nr, name, ...) EXO_CALL_##name = nr,
#include <exo/calls.def>
    EXO_CALL_LIMIT = 96
};

#define EXO_KEEP UINT64_MAX // ctx_bases: leave this base as it is

#define EXO_DERIVE_BADGE 1u
#define EXO_DERIVE_RANGE 2u
#define EXO_DERIVE_WATCH 4u

#define EXO_CLONE_NO_WINDOWS 1u

#define EXO_RECLAIM_ABORT 1u
#define EXO_RECLAIM_GRACE 50000000ull // ns that a keeper has at least

#define EXO_FRAMES_AT 1u
#define EXO_FRAMES_2M 2u

#define EXO_PORT_WRITE 0x100u

#define EXO_POWER_OFF   0
#define EXO_POWER_RESET 1

// call and reply_wait: meta (registers: stubs.h)
#define EXO_META(bytes, caps) ((uint64_t)(bytes) | (uint64_t)(caps) << 16)
#define EXO_META_BYTES(meta)  ((uint32_t)(meta)&0xffff)
#define EXO_META_CAPS(meta)   ((uint32_t)(meta) >> 16 & 0xf)
#define EXO_REPLY_NONE        (1ull << 32) // there is nothing to answer, or it was answered
#define EXO_REPLY_ONLY        (1ull << 33) // answer and return at once

// aspace_batch
enum exo_map_op_kind {
    EXO_OP_BUY, // buy `count` zeroed pages at va (nothing may be mapped there), with rights
    EXO_OP_MAP, // map the window: capability `cap` from frame `first` on, count pages, with rights.
                // SEGMENT at a va aligned to 2 MiB with first 0 and count 512: one directory entry;
                // otherwise page by page. A slot has one window: EXISTS if it has one in another
                // place (and something of it is still mapped); mapping more of the object beside it
                // makes the window longer, up to 4096 pages (LIMIT); mapping the same pages again
                // refreshes rights and entries. Entries that a segment has not are left out. flag
                // EXO_MAP_COW: read-only now, and COW_BREAK makes private copies of its pages
                // (which a refresh leaves alone)
    EXO_OP_UNMAP,   // remove whatever is mapped in count pages from va (a window that is one
                    // directory entry, covered in part, is cut into single pages, which costs a
                    // table)
    EXO_OP_PROTECT, // change rights of anonymous pages and windows (never beyond the capability's);
                    // pages not mapped are skipped. Rights 0: the page stays and cannot be
                    // accessed. A copy-on-write page stays so.
    EXO_OP_COW_BREAK, // make count pages at va writable: those shared are copied, those owned alone
                      // or writable already are kept; NOENT if one is neither; INVAL if one is
                      // executable, unless EXO_MAP_WX
    EXO_OP_MOVE, // move the anonymous pages among count from `first` (a virtual address) to va,
                 // where nothing may be (mremap)
};

#define EXO_MAP_COW 1u

struct exo_map_op {
    uint32_t kind;   // enum exo_map_op_kind
    uint32_t count;  // pages, 1..512
    uint64_t va;     // page-aligned
    uint64_t cap;    // MAP: handle
    uint64_t first;  // MAP: first frame of the run or entry of the segment; MOVE: source address
    uint32_t rights; // EXO_R_READ | WRITE | EXEC; WRITE and EXEC together are refused for windows
                     // and pages alike (W^X) unless EXO_MAP_WX
    uint32_t flags;  // EXO_MAP_COW, EXO_MAP_WX
};
#define EXO_MAP_WX 2u // writable and executable on explicit wish (JITs)

// aspace_clone
enum exo_clone_mode { EXO_CLONE_DROP, EXO_CLONE_SHARE, EXO_CLONE_COW, EXO_CLONE_COPY };
struct exo_region {
    uint64_t start, end; // page-aligned
    uint32_t mode;       // enum exo_clone_mode
    uint32_t flags;
};

// wait
enum exo_cond_kind {
    EXO_COND_WORD,  // the 32-bit word at `va` (aligned, readable) still equals value
    EXO_COND_CAPS,  // capabilities to the allocation of handle `va` are still >= value
    EXO_COND_WCAPS, // those with the write right are still >= value
};
struct exo_cond {
    uint32_t kind;
    uint32_t value;
    uint64_t va;
};

// machine_trace: one kernel call. `cursor` is the sequence number of the next record wanted; older
// ones than the ring holds are skipped.
struct exo_trace {
    uint64_t sequence; // from 1 on
    uint64_t tsc;      // at entry
    uint32_t env;      // index of the environment
    uint16_t ctx, number;
    uint64_t args[4]; // rdi rsi rdx r10
    int64_t result;   // EXO_TRACE_ASLEEP: the call went to sleep, or has not returned
};
#define EXO_TRACE_ASLEEP INT64_MIN

// machine_check
struct exo_check {
    uint32_t size, version;
    uint64_t violations;                // invariants found broken (each is also logged)
    uint64_t frames[EXO_FRAME_RUN + 1]; // by kind
    uint64_t objects[EXO_CAP_TYPES];    // by type; of no type: contexts
    uint64_t caps;                      // capabilities in all tables
};

#endif
