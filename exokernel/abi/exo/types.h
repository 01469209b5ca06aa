// SPDX-License-Identifier: MIT
// Basic types of the kernel ABI: handles, rights, capability types, identities.
//
// A capability is named by a handle: a slot index and the slot's generation. A handle whose slot
// was deleted since is stale and is refused; it never names another object. Handle 0 names nothing;
// calls that take an optional environment or address space read it as "my own".
//
// Every structure shared between the kernel and user code starts with its size and version.
#ifndef EXO_TYPES_H
#define EXO_TYPES_H

#include <stdint.h>
#include <stddef.h>

#define EXO_ABI_VERSION 1

typedef uint64_t exo_handle_t; // generation << 20 | index
typedef uint64_t exo_fn_t;     // a physical frame number: physical address / EXO_PAGE_SIZE
typedef uint64_t exo_ns_t;     // nanoseconds of the monotonic clock (since boot)

#define EXO_PAGE_SHIFT      12
#define EXO_PAGE_SIZE       4096ull
#define EXO_HANDLE_BITS     20
#define EXO_HANDLE_INDEX(h) ((uint32_t)((h) & ((1u << EXO_HANDLE_BITS) - 1)))
#define EXO_NEVER           UINT64_MAX // a deadline that does not come

// Capability types.
enum exo_cap_type {
    EXO_CAP_NONE,
    EXO_CAP_BANK,     // a space bank: the right to buy frames up to a limit
    EXO_CAP_FRAMES,   // one allocation: a run of frames that never splits (RAM or device memory)
    EXO_CAP_SEGMENT,  // 512 page entries, filled by the owner, mapped by others as one unit
    EXO_CAP_ASPACE,   // an address space
    EXO_CAP_ENV,      // an environment: a protection domain with its capability table and contexts
    EXO_CAP_ENDPOINT, // a badged way to call a server
    EXO_CAP_SLICE,    // positions in a CPU's time vector
    EXO_CAP_IRQ,      // interrupt lines; badge = first line << 32 | count
    EXO_CAP_IOPORT,   // I/O ports; badge = first port << 32 | count
    EXO_CAP_DEVICE,   // a PCI function; badge = bus << 8 | device << 3 | function
    EXO_CAP_MACHINE,  // kernel log (WRITE), trace ring (READ), power and self-check (CONTROL)
    EXO_CAP_TYPES
};

// Rights. A derived or copied capability has a subset of its source's.
enum exo_rights {
    EXO_R_READ = 1u << 0,
    EXO_R_WRITE = 1u << 1, // counted: see exo_frame.wcaps
    // Re-badge (endpoints), narrow a range (irq, ioport), split (bank, slice).
    EXO_R_DERIVE = 1u << 2,
    EXO_R_REVOKE = 1u << 3, // revoke descendants; fill and clear a segment
    EXO_R_EXEC = 1u << 4,
    EXO_R_NOTIFY = 1u << 5,  // set notification bits of an environment
    EXO_R_CONTROL = 1u << 6, // an environment's registers, memory, table, death; a machine's power
    EXO_R_CALL = 1u << 7,    // call an endpoint
    EXO_R_SERVE = 1u << 8,   // receive and reply on an endpoint
    EXO_R_BUY = 1u << 9,     // buy from a bank
    EXO_R_BIND = 1u << 10,   // bind a context to a slice; bind an interrupt; keep a bank
    EXO_R_ALL = (1u << 11) - 1
};

// An environment's identity: index in the exposed environment table and a generation; never reused.
typedef uint64_t exo_env_id_t; // generation << 32 | index
#define EXO_ENV_INDEX(id) ((uint32_t)(id))

// What a bank owes its parent (bank_reclaim).
struct exo_bank_debt {
    uint64_t frames;      // not given back yet; they are not for sale
    uint64_t due;         // when they may be taken by force (monotonic ns)
    uint64_t lost, nlost; // identity of the listed child bank taken last; how many ever were
};

// What cap_identify tells of a capability (exo_cap_identify).
struct exo_cap_info {
    uint32_t size, version;
    uint32_t type;   // enum exo_cap_type
    uint32_t rights; // enum exo_rights
    uint64_t
        object; // identity of the object: equal numbers, same object, while the capability is held
    uint64_t badge;
    uint64_t first_frame; // FRAMES: its first frame number
    uint64_t length;      // FRAMES: frames; BANK: limit in frames; SEGMENT: 512; SLICE: positions
    uint64_t used;        // BANK: frames bought, SEGMENT: entries filled
    uint32_t caps, wcaps; // capabilities to this object; those with the write right
    uint64_t env;         // ENV: its identity; ENDPOINT: the server's
    uint64_t window_va;   // where the slot's window is mapped in the caller's address space, or 0
    uint64_t window_pages;
    struct exo_bank_debt debt; // BANK
};

#endif
