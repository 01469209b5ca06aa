// SPDX-License-Identifier: MIT
/*
 * Terminal interface of the Linux x86-64 ABI.
 *
 * Programs built against musl (or against any other Linux C library) reach terminals through
 * ioctl(2) with these numbers and these memory layouts; the terminal server and the library OS
 * share this one definition so that neither depends on the C library's <termios.h>, whose struct
 * termios is larger than the 36 bytes TCGETS transfers.
 *
 * Everything is prefixed LX_ (constants) or lx_ (structures) and has fixed width. Numbers are the
 * ones of ioctl_tty(2), termios(3) and ioctl_list(2).
 */
#ifndef LX_TERMIOS_H
#define LX_TERMIOS_H

#include <stdint.h>

#define LX_NCCS 19

/* TCGETS, TCSETS, TCSETSW, TCSETSF: 36 bytes. */
struct lx_termios {
    uint32_t c_iflag;
    uint32_t c_oflag;
    uint32_t c_cflag;
    uint32_t c_lflag;
    uint8_t c_line;
    uint8_t c_cc[LX_NCCS];
};

/* TCGETS2, TCSETS2, ...: 44 bytes. */
struct lx_termios2 {
    uint32_t c_iflag;
    uint32_t c_oflag;
    uint32_t c_cflag;
    uint32_t c_lflag;
    uint8_t c_line;
    uint8_t c_cc[LX_NCCS];
    uint32_t c_ispeed;
    uint32_t c_ospeed;
};

struct lx_winsize {
    uint16_t ws_row;
    uint16_t ws_col;
    uint16_t ws_xpixel;
    uint16_t ws_ypixel;
};

_Static_assert(sizeof(struct lx_termios) == 36, "TCGETS layout");
_Static_assert(sizeof(struct lx_termios2) == 44, "TCGETS2 layout");
_Static_assert(sizeof(struct lx_winsize) == 8, "TIOCGWINSZ layout");

/* Index into c_cc. */
#define LX_VINTR    0
#define LX_VQUIT    1
#define LX_VERASE   2
#define LX_VKILL    3
#define LX_VEOF     4
#define LX_VTIME    5
#define LX_VMIN     6
#define LX_VSWTC    7
#define LX_VSTART   8
#define LX_VSTOP    9
#define LX_VSUSP    10
#define LX_VEOL     11
#define LX_VREPRINT 12
#define LX_VDISCARD 13
#define LX_VWERASE  14
#define LX_VLNEXT   15
#define LX_VEOL2    16

#define LX_VDISABLE 0 /* _POSIX_VDISABLE: this c_cc entry matches nothing */

/* c_iflag */
#define LX_IGNBRK  0000001u
#define LX_BRKINT  0000002u
#define LX_IGNPAR  0000004u
#define LX_PARMRK  0000010u
#define LX_INPCK   0000020u
#define LX_ISTRIP  0000040u
#define LX_INLCR   0000100u
#define LX_IGNCR   0000200u
#define LX_ICRNL   0000400u
#define LX_IUCLC   0001000u
#define LX_IXON    0002000u
#define LX_IXANY   0004000u
#define LX_IXOFF   0010000u
#define LX_IMAXBEL 0020000u
#define LX_IUTF8   0040000u

/* c_oflag */
#define LX_OPOST  0000001u
#define LX_OLCUC  0000002u
#define LX_ONLCR  0000004u
#define LX_OCRNL  0000010u
#define LX_ONOCR  0000020u
#define LX_ONLRET 0000040u
#define LX_OFILL  0000100u
#define LX_OFDEL  0000200u
#define LX_TABDLY 0014000u
#define LX_TAB3   0014000u
#define LX_XTABS  0014000u

/* c_cflag */
#define LX_CBAUD   0010017u
#define LX_B0      0000000u
#define LX_B9600   0000015u
#define LX_B38400  0000017u
#define LX_B115200 0010002u
#define LX_BOTHER  0010000u
#define LX_CSIZE   0000060u
#define LX_CS5     0000000u
#define LX_CS8     0000060u
#define LX_CSTOPB  0000100u
#define LX_CREAD   0000200u
#define LX_PARENB  0000400u
#define LX_PARODD  0001000u
#define LX_HUPCL   0002000u
#define LX_CLOCAL  0004000u
#define LX_CRTSCTS 020000000000u

/* c_lflag */
#define LX_ISIG    0000001u
#define LX_ICANON  0000002u
#define LX_XCASE   0000004u
#define LX_ECHO    0000010u
#define LX_ECHOE   0000020u
#define LX_ECHOK   0000040u
#define LX_ECHONL  0000100u
#define LX_NOFLSH  0000200u
#define LX_TOSTOP  0000400u
#define LX_ECHOCTL 0001000u
#define LX_ECHOPRT 0002000u
#define LX_ECHOKE  0004000u
#define LX_FLUSHO  0010000u
#define LX_PENDIN  0040000u
#define LX_IEXTEN  0100000u
#define LX_EXTPROC 0200000u

/* ioctl numbers; the comment is the argument. */
#define LX_TCGETS      0x5401u     /* struct lx_termios * out */
#define LX_TCSETS      0x5402u     /* struct lx_termios * in */
#define LX_TCSETSW     0x5403u     /* ... after output drained */
#define LX_TCSETSF     0x5404u     /* ... and input discarded */
#define LX_TCSBRK      0x5409u     /* int: 0 drain and send a break, else tcdrain */
#define LX_TCXONC      0x540au     /* int LX_TCOOFF.. */
#define LX_TCFLSH      0x540bu     /* int LX_TCIFLUSH.. */
#define LX_TIOCEXCL    0x540cu     /* - */
#define LX_TIOCNXCL    0x540du     /* - */
#define LX_TIOCSCTTY   0x540eu     /* int: 1 steal (root) */
#define LX_TIOCGPGRP   0x540fu     /* int32 * out */
#define LX_TIOCSPGRP   0x5410u     /* int32 * in */
#define LX_TIOCOUTQ    0x5411u     /* int32 * out */
#define LX_TIOCSTI     0x5412u     /* refused */
#define LX_TIOCGWINSZ  0x5413u     /* struct lx_winsize * out */
#define LX_TIOCSWINSZ  0x5414u     /* struct lx_winsize * in */
#define LX_FIONREAD    0x541bu     /* int32 * out; TIOCINQ is the same number */
#define LX_TIOCPKT     0x5420u     /* refused */
#define LX_FIONBIO     0x5421u     /* int32 * in: handled by the library OS */
#define LX_TIOCNOTTY   0x5422u     /* - */
#define LX_TIOCSETD    0x5423u     /* int32 * in */
#define LX_TIOCGETD    0x5424u     /* int32 * out */
#define LX_TCSBRKP     0x5425u     /* int */
#define LX_TIOCSBRK    0x5427u     /* - */
#define LX_TIOCCBRK    0x5428u     /* - */
#define LX_TIOCGSID    0x5429u     /* int32 * out */
#define LX_TCGETS2     0x802c542au /* struct lx_termios2 * out */
#define LX_TCSETS2     0x402c542bu /* struct lx_termios2 * in */
#define LX_TCSETSW2    0x402c542cu
#define LX_TCSETSF2    0x402c542du
#define LX_TIOCGPTN    0x80045430u /* uint32 * out */
#define LX_TIOCSPTLCK  0x40045431u /* int32 * in */
#define LX_TIOCGDEV    0x80045432u /* uint32 * out */
#define LX_TIOCVHANGUP 0x5437u     /* - */
#define LX_TIOCGPTLCK  0x80045439u /* int32 * out */
#define LX_TIOCGEXCL   0x80045440u /* int32 * out */
#define LX_TIOCGPTPEER 0x5441u     /* int: open flags */

/* Arguments of TCXONC and TCFLSH. */
#define LX_TCOOFF    0
#define LX_TCOON     1
#define LX_TCIOFF    2
#define LX_TCION     3
#define LX_TCIFLUSH  0
#define LX_TCOFLUSH  1
#define LX_TCIOFLUSH 2

#define LX_N_TTY 0 /* the only line discipline */

#endif
