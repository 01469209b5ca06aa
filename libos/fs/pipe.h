// SPDX-License-Identifier: MIT
// The shared layout of a pipe: two allocations, each written by one side only.
//
//     writers' half   page 0: struct pipe_writers; pages 1..PIPE_PAGES: the ring   written by
//                     writers, read by readers
//     readers' half   page 0: struct pipe_readers                                  written by
//                     readers, read by writers
//
// A byte stands in the ring at its cursor less `start`. A writer that finds the ring empty begins
// it anew by setting `start` to its cursor, so that a pipe whose bytes are taken as they come uses
// one page. A reader loads `start` behind the head: while there are bytes, nobody changes it.
//
// Cursors count bytes; of the writers' one, whose low half is what readers sleep on, no two moments
// have the same. What is in the ring is counted modulo 2^32. The peer's cursor is an allegation:
// fill = head - tail must not exceed the ring, otherwise the peer is broken and the pipe answers
// EIO.
//
// Capability counts are the reference counts: no capability with the write right to the writers'
// half: end of file; none to the readers' half: EPIPE. So it does not matter how a holder dies.
//
// The lock of a half serialises its own side (two writers, two readers). It names its owner's
// environment; it is taken from an owner that is dead, never from a living one. Who sleeps for it
// marks it first, so that an unlock wakes only where somebody waits. Order: bytes, cursor, unlock,
// then wake if the frame's sleeper count is not 0 (see models/wait_wake.pml in the kernel).
#ifndef FS_PIPE_H
#define FS_PIPE_H
#include <exo/types.h>

#define PIPE_PAGES 16u
#define PIPE_SIZE  ((uint32_t)(PIPE_PAGES * EXO_PAGE_SIZE))

#define PIPE_LOCK_WAITED (1ull << 63) // no generation gets that far

struct pipe_writers {
    uint32_t size, version;
    volatile uint64_t head;
    volatile uint32_t start;
    uint32_t reserved;
    volatile uint64_t lock; // exo_env_id_t of the owner, 0 = free; PIPE_LOCK_WAITED
};

struct pipe_readers {
    uint32_t size, version;
    volatile uint32_t tail;
    uint32_t reserved;
    volatile uint64_t lock;
};

#endif
