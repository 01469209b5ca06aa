// SPDX-License-Identifier: MIT
// What init gives each server in libos_start.extra[], and how a server announces itself.
//
// A server creates its endpoint (an endpoint is served by the environment that makes it) and sends
// a capability with the CALL right to init: PROC_OP_SERVICE(kind), caps[0]. When all services are
// there init starts the first process.
#ifndef PROTO_SERVER_H
#define PROTO_SERVER_H
#include <exo/types.h>

// Where servers and init map what they hold (exo_map): outside the libOS's area and below what its
// mmap uses.
#define SERVER_WINDOWS     0x0000600000000000ull
#define SERVER_WINDOWS_END 0x0000610000000000ull

enum server_kind { SERVER_FSD = 1, SERVER_TTYD = 2 };

#define SERVER_X_LOG 7 // MACHINE with the WRITE right: the kernel's log

enum fsd_extra {
    FSD_X_ROOT, // FRAMES of the root volume
    FSD_X_ROOT_BYTES,
};

enum ttyd_extra {
    TTYD_X_UART,   // IOPORT of COM1, 8 ports, or 0
    TTYD_X_PS2,    // IOPORT 0x60..0x64
    TTYD_X_CRTC,   // IOPORT 0x3c0..0x3df
    TTYD_X_IRQ,    // IRQ lines 0..15
    TTYD_X_SCREEN, // FRAMES of the screen's memory, or 0
    TTYD_X_MODE,   // kind | width << 8 | height << 24 | bpp << 40 (struct exo_boot_screen)
    TTYD_X_LAYOUT, // pitch | red_pos << 32 | green_pos << 40 | blue_pos << 48
};

enum execd_extra { // /sbin/execd, the first process of `exoc exec`
    EXECD_X_UART,  // IOPORT of COM2, 8 ports
    EXECD_X_IRQ,   // IRQ lines 0..15
    EXECD_X_SPEC,  // FRAMES of the command
    EXECD_X_SPEC_BYTES,
};

#endif
