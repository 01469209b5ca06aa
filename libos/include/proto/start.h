// SPDX-License-Identifier: MIT
// What a new environment's libOS is told, and the capability slots every process has.
//
// Whoever builds an environment (init; the parent in fork and spawn by cloning) puts capabilities
// into the well-known slots; they are the first capability ever in these slots, so their handles
// are constants and stay the same in every descendant.
//
// The libOS image starts at its ELF entry with rdi = user address of struct libos_start (readable),
// or of struct exo_boot in the first environment (rdi == EXO_BOOT_VA); rsp = a stack of at least 16
// KiB in the page range it may keep as its own.
#ifndef PROTO_START_H
#define PROTO_START_H
#include <exo/types.h>

#define SLOT_HANDLE(index) ((exo_handle_t)(index) | 1ull << EXO_HANDLE_BITS)
#define H_BANK             SLOT_HANDLE(1) // pays for everything this process buys (shared by the session)
#define H_INIT             SLOT_HANDLE(2) // endpoint of init
#define H_FSD              SLOT_HANDLE(3) // endpoint of fsd: the root directory
#define H_TTYD             SLOT_HANDLE(4) // endpoint of ttyd
#define H_SLICE            SLOT_HANDLE(5) // CPU time
#define H_PROCTAB          SLOT_HANDLE(6) // segment of process records (proto/proc.h), read-only
#define H_LIBOS            SLOT_HANDLE(7) // segment of the libOS image's text, read and execute
#define H_FIRST            8              // first slot index free for other uses

// The libOS's part of the address space. All that every process has lies in one GiB, what is
// private in one 2 MiB, because each page table is a frame to buy, to clone and to give back. Text
// is one segment (2 MiB, one directory entry).
#define LIBOS_TEXT    0x00007f8000000000ull
#define LIBOS_PROCTAB 0x00007f8000200000ull // H_PROCTAB: 2 MiB, 2048 records
// What the builder lays out for the start only: first stack, struct libos_start, starter code. The
// libOS unmaps these 2 MiB. A window belongs to a slot of the environment itself, so the builder
// cannot map the text: it lets the context begin in a page of starter code (here, READ | EXEC)
// which maps H_LIBOS and H_PROCTAB with aspace_batch and jumps to the libOS's entry with rdi = the
// start information. .data and .bss are bought and written by the builder.
#define LIBOS_BOOT        0x00007f8000400000ull
#define LIBOS_DATA        0x00007f8000600000ull // .data and .bss, at most 512 KiB, private
#define LIBOS_CTX         0x00007f8000680000ull // context n (0..3): block and message page at + n * 64 KiB
#define LIBOS_STACKS      0x00007f80006c0000ull // libOS and upcall stacks
#define LIBOS_HEAP        0x00007f8000700000ull // private heap
#define LIBOS_HEAP_END    0x00007f801fe00000ull
#define LIBOS_NAMES       LIBOS_HEAP_END        // segment of proto/names.h
#define LIBOS_PAGES       0x00007f8020000000ull // windows of pages: pipes, open-file state
#define LIBOS_PAGES_END   0x00007f8040000000ull
#define LIBOS_WINDOWS     0x00007f8040000000ull // windows of whole segments: files
#define LIBOS_WINDOWS_END 0x00007ff000000000ull

enum libos_start_mode {
    LIBOS_START_FRAMES = 1, // load the ELF program in the FRAMES capability `image` (servers)
    LIBOS_START_PATH,       // exec `path` through fsd (the first process; set-id exec)
};

#define AT_EXO_START                                                                               \
    0x1000 // auxiliary vector: address of the libOS's copy of struct libos_start (or of struct
           // exo_boot)
#define LIBOS_START_MAGIC   0x5452415453544f4cull
#define LIBOS_START_FDS_MAX 1024

struct libos_start_fd { // a descriptor handed over
    int32_t fd;         // AT_FDCWD: the working directory
    uint32_t kind;      // enum libos_fd_kind
    uint32_t flags;     // O_* status flags
    uint32_t reserved;
    exo_handle_t cap[4];
    uint64_t offset;
};

struct libos_kept {                           // what a process keeps over exec
    uint64_t sigmask, sigignored, sigpending; // bit = number - 1
    uint64_t itimer[3][2];                    // ns left (0: off), interval
    uint64_t limit[16][2];                    // soft, hard
    uint32_t umask, reserved;
};

struct libos_start {
    uint32_t size, version;
    uint64_t magic;
    uint32_t mode;
    uint32_t argc, envc;
    uint32_t strings; // byte offset, the last of all, of: path, argv[0..argc), envp[0..envc), each
                      // NUL-terminated
    uint32_t strings_size;
    uint32_t nfds, fds; // descriptors handed over: number, byte offset of struct
                        // libos_start_fd[nfds], below the strings
    uint32_t secure;    // set-id exec: claim the file's ids, AT_SECURE
    exo_handle_t image; // FRAMES
    uint64_t image_bytes;
    uint64_t extra[8];      // handles a server expects, by convention with init (proto/server.h);
                            // the program finds this structure by getauxval(AT_EXO_START)
    struct libos_kept kept; // set-id exec
};
#endif
