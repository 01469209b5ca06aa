// SPDX-License-Identifier: MIT
// The context block: the page the kernel and a context's user code share, and upcalls.
//
// A context has two pinned frames, given to it when it is created: the block (this structure) and
// the message page (4 KiB copied by call and reply). Its GS base is the user address of the block.
// The kernel writes both through its own mapping, never through the user address, and believes
// nothing it reads there: a wrong value harms this environment alone.
//
// Upcalls. The kernel stores the interrupted registers in save[depth], adds one to depth, and
// enters `upcall_entry` with
//     rdi = user address of that struct exo_save, rsp = upcall stack (see below), rflags cleared of
//     DF, AC and TF, the GS base restored to the block, everything else undefined.
// rsp is `upcall_stack_top`, or, if the interrupted rsp lies inside the upcall stack
// (upcall_stack_top - upcall_stack_size <= rsp <= upcall_stack_top), rsp - 128 rounded down to 16.
// Then 8 is subtracted, as after a call instruction. The handler returns without the kernel: it
// loads the registers, subtracts one from depth, and leaves with iretq. Faults, exceptions and
// foreign calls are synchronous and cannot be masked; when depth is already EXO_SAVE_DEPTH the
// environment dies (EXO_DEATH_UPCALL). Notifications, slice end and revocation requests are
// asynchronous: they come only when mask == 0 and depth == 0, otherwise at the next return from the
// kernel where both hold.
//
// Foreign system calls (SYSCALL with rax not an exo call) are bounced in a fast way that saves only
// what SYSCALL destroys: rip, rflags and rsp go to foreign_rip/rflags/rsp, rsp stays, all other
// registers are as the caller had them (rcx and r11 undefined), and execution continues at
// foreign_entry. No save area is used.
#ifndef EXO_CTX_H
#define EXO_CTX_H
#include <exo/types.h>

enum exo_upcall {
    EXO_UP_PAGEFAULT = 1, // addr = CR2, error = the page-fault error code (Intel SDM vol. 3, 4.7)
    EXO_UP_EXCEPTION = 2, // vector, error code
    EXO_UP_NOTIFY = 3,    // new bits in `pending`
    EXO_UP_SLICE = 4,     // the context was preempted at the end of its slice
    // A notification (the bit is in `pending`) by which the keeper of a bank learns that frames are
    // wanted back: addr = identity of the bank, error = frames it owes, vector = identity of the
    // listed bank that was destroyed for it last, or 0. Of several banks the last is told; all that
    // was asked stands in exo_cap_info.debt.
    EXO_UP_REVOKE = 5,
};

struct exo_save {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, cs, rflags, rsp, ss; // in this order iretq takes them
    uint64_t cause;                    // enum exo_upcall
    uint64_t vector;                   // EXCEPTION: 0..31
    uint64_t error;
    uint64_t addr;
};

// The selectors of user code in exo_save.cs and .ss.
#define EXO_USER_CS 0x2b
#define EXO_USER_SS 0x23

#define EXO_SAVE_DEPTH 3
#define EXO_CONTEXTS   64 // contexts an environment can have made, at most
#define EXO_MSG_SIZE   4096
#define EXO_MSG_CAPS   4

// A capability to send with call or reply (exo_ctx.send).
struct exo_send {
    uint64_t handle;
    uint32_t rights; // at most these
    uint32_t mode;   // enum exo_send_mode
};
enum exo_send_mode {
    EXO_SEND_COPY,   // the receiver gets a sibling
    EXO_SEND_DERIVE, // the receiver gets a child of the sender's capability
    EXO_SEND_MOVE,   // the sender's capability goes away
};

// Kinds of events exo_reply_wait returns (exo_ctx.in_kind).
enum exo_event {
    EXO_EV_NONE,
    EXO_EV_CALL,      // a call: in_badge, in_env, words and message
    EXO_EV_CHILDLESS, // the last capability derived from in_handle is gone (flag EXO_DERIVE_WATCH)
    EXO_EV_DEATH,     // the environment whose cookie is in_badge (given to env_create) is dead
    EXO_EV_NOTIFY,    // notification bits are pending for this context
};

struct exo_ctx {
    uint32_t size, version;  // 0x00
    uint64_t self;           // 0x08 user address of this block
    uint64_t libos_entry;    // 0x10 for the libOS: the kernel does not read it
    uint64_t libos_entry_cp; // 0x18 for the libOS
    uint64_t libos_stack;    // 0x20 for the libOS: top of the running thread's libOS stack
    uint64_t libos_thread;   // 0x28 for the libOS: the running thread
    uint64_t mask;           // 0x30 not 0: no asynchronous upcalls
    uint64_t pending; // 0x38 notification bits: the kernel sets, user code clears (both atomically)
    uint64_t upcall_entry;              // 0x40
    uint64_t foreign_entry;             // 0x48 0: foreign calls are exceptions (vector 6)
    uint64_t upcall_stack_top;          // 0x50
    uint64_t upcall_stack_size;         // 0x58
    uint64_t foreign_rip;               // 0x60
    uint64_t foreign_rflags;            // 0x68
    uint64_t foreign_rsp;               // 0x70
    uint32_t depth;                     // 0x78 save areas in use
    uint32_t index;                     // 0x7c this context's number in its environment
    uint64_t flags;                     // 0x80 EXO_CTX_*
    uint64_t env;                       // 0x88 own identity
    uint64_t reserved[2];               // 0x90
    struct exo_send send[EXO_MSG_CAPS]; // 0xa0
    uint64_t recv[EXO_MSG_CAPS]; // 0xe0 handles received by the last call / reply_wait; 0 = none
    uint64_t in_kind;            // 0x100 enum exo_event
    uint64_t in_badge;           // 0x108
    uint64_t in_env;             // 0x110 identity of the calling environment
    uint64_t in_handle;          // 0x118
    uint64_t recv_max;           // 0x120 how many capabilities this context accepts (0..4)
    uint64_t libos_words[27];    // 0x128 for the libOS
    struct exo_save save[EXO_SAVE_DEPTH]; // 0x200
    uint64_t notified_by[64]; // 0x440 by bit: the environment that called env_notify with it last
};

#define EXO_CTX_SLICE_END 1u // wants EXO_UP_SLICE

_Static_assert(offsetof(struct exo_ctx, foreign_entry) == 0x48, "fixed offset");
_Static_assert(offsetof(struct exo_ctx, depth) == 0x78, "fixed offset");
_Static_assert(offsetof(struct exo_ctx, in_kind) == 0x100, "fixed offset");
_Static_assert(offsetof(struct exo_ctx, save) == 0x200, "fixed offset");
_Static_assert(sizeof(struct exo_ctx) <= EXO_PAGE_SIZE, "one page");

// Registers of a context, for ctx_set and ctx_get.
struct exo_regs {
    uint32_t size, version;
    struct exo_save gpr; // cause, vector, error, addr unused
    uint64_t fs_base;
};
#endif
