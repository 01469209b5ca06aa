// SPDX-License-Identifier: MIT
// The terminal server's protocol.
//
// H_TTYD (badge 0) is the service: it opens terminals and answers by device number. Opening gives
// an endpoint of its own for each open file description; descriptors made by dup and fork hold
// copies of it, and when the last copy is deleted, in whatever way, ttyd closes. w[0] = operation,
// w[1..5] arguments, data in the message page; the reply has w[0] = result >= 0 or -LX_E...
//
// Who calls is known from the environment identity the kernel stamps on the call and init's process
// record (proc.h): ids and privilege are never told by the caller. What only the caller knows (its
// signal mask, O_NONBLOCK) is told in TTY_F_* flags; a lie there harms the liar's own job control.
//
// ttyd holds no caller. "Not yet" is -LX_EAGAIN with w[1] = the value an event word had when ttyd
// decided: the client waits until the word differs (interruptibly, and until w[2] if that is not
// 0), then asks again. With TTY_F_NONBLOCK -LX_EAGAIN is final.
//
// -TTY_RESTART: a process in the background touched the terminal and its group has been sent
// SIGTTIN or SIGTTOU. The caller takes its signals (it will usually stop there), then repeats the
// call, or returns -EINTR if a handler without SA_RESTART ran.
//
// The page. Every open gets a read-only frame that describes the terminal. It answers isatty,
// tcgetattr, TIOCGWINSZ, TIOCGPGRP, TIOCGSID and poll without a call: read under `seq` (odd while
// changing, equal before and after). A pty's two sides share the page and have an event pair each.
#ifndef PROTO_TTY_H
#define PROTO_TTY_H
#include <stdint.h>
#include <lx/termios.h>

#define TTY_PROTO_VERSION 1

#define TTY_RESTART 512 // result -TTY_RESTART, never shown to programs

// Linux device numbers (makedev for numbers below 256).
#define TTY_RDEV(major, minor) ((uint32_t)(major) << 8 | (uint32_t)(minor))
#define TTY_RDEV_CTTY          TTY_RDEV(5, 0) // /dev/tty: the caller's controlling terminal
#define TTY_RDEV_CONSOLE                                                                           \
    TTY_RDEV(5, 1) // /dev/console; 4:0, 4:1 and 4:64 (tty0, tty1, ttyS0) are other names of it
#define TTY_RDEV_PTMX      TTY_RDEV(5, 2) // each open makes a new pty and is its master
#define TTY_RDEV_PTS_MAJOR 136            // /dev/pts/N is 136 + N / 256, N % 256
#define TTY_RDEV_PTS(n)    TTY_RDEV(TTY_RDEV_PTS_MAJOR + (n) / 256, (n) % 256)

struct tty_side {
    uint32_t in_event;  // +1 when a read may now succeed or end differently: data, end of file,
                        // hang-up, new settings
    uint32_t out_event; // +1 when a write may now go on, and when the output has drained
    uint32_t poll; // POLLIN 1, POLLOUT 4, POLLERR 8, POLLHUP 0x10 as they are now (VTIME apart)
    uint32_t reserved;
};
struct tty_page {
    uint32_t size, version;
    uint32_t seq;
    uint32_t rdev;
    struct lx_termios2 tio;
    struct lx_winsize ws;
    int32_t sid, pgrp; // session it controls and its foreground group; 0 none
    uint32_t hangups;  // +1 at each hang-up: the bits below are no longer an older open's; it asks
                       // TTY_OP_POLL
    uint32_t reserved;
    struct tty_side side[2]; // 0 the terminal, 1 the master of a pty
};

// Flags of READ, WRITE and IOCTL.
#define TTY_F_NONBLOCK 1u // O_NONBLOCK
#define TTY_F_TTIN_OFF 2u // SIGTTIN is ignored or blocked
#define TTY_F_TTOU_OFF 4u // SIGTTOU is ignored or blocked
#define TTY_F_NOCTTY   8u // this process gave its controlling terminal up by TIOCNOTTY

enum tty_op {
    TTY_OP_OPEN = 1, // service: (rdev, O_* flags) -> w[1] rdev of what was opened, w[2] side (0,
                     // 1), w[3] = 1 if it became the caller's controlling terminal; caps: [0]
                     // endpoint, [1] FRAMES of the page (READ). Errors: ENXIO no such terminal, no
                     // controlling terminal; EIO pty locked or hung up; EACCES; EBUSY exclusive;
                     // ENOSPC over the client's share, ENOMEM
    TTY_OP_READ,     // (length, flags, start) -> message, result = bytes, 0 end of file. start =
                 // monotonic ns when this read(2) first asked: VTIME counts from it. -LX_EAGAIN:
                 // w[1] of in_event, w[2] deadline or 0
    TTY_OP_WRITE, // (length, flags) message -> bytes taken (1..length). -LX_EAGAIN: w[1] of
                  // out_event
    TTY_OP_IOCTL, // (request, integer argument, flags) message = the structure pointed to, if any
                  // -> message = the structure to store, if any (tty_ioctl_in, tty_ioctl_out give
                  // the sizes); result as ioctl(2). TCSETSW, TCSETSF, TCSBRK: -LX_EAGAIN until the
                  // output has drained, w[1] of out_event. TIOCNOTTY: result 1 = the session has
                  // lost it, 0 = only this process (then TTY_F_NOCTTY). TIOCGPTPEER: as OPEN
    TTY_OP_POLL,  // () -> poll bits as in the page, w[1] in_event, w[2] out_event
    TTY_OP_STAT,  // service: (rdev); open: () -> message struct tty_stat
    TTY_OP_CHMOD, // service: (rdev, mode); open: (0, mode)
    TTY_OP_CHOWN, // service: (rdev, uid, gid), -1 keeps; open: (0, uid, gid)
    TTY_OP_LIST,  // service: (n) -> message uint32_t[]: numbers of the ptys from n on, ascending;
                  // result = how many; w[1] = n of the next call, 0 at the end
    TTY_OP_LIMIT
};

struct tty_stat {
    uint32_t size, version;
    uint32_t rdev;
    uint32_t mode; // with S_IFCHR
    uint32_t uid, gid;
    int64_t atime_ns, mtime_ns, ctime_ns; // monotonic: last read, last write, made
};

// Bytes of the structure an ioctl takes and gives; 0 for integer arguments. Unknown requests: 0 and
// 0, and -ENOTTY by ttyd.
static inline uint32_t tty_ioctl_in(uint32_t request)
{
    switch (request) {
    case LX_TCSETS:
    case LX_TCSETSW:
    case LX_TCSETSF:
        return sizeof(struct lx_termios);
    case LX_TCSETS2:
    case LX_TCSETSW2:
    case LX_TCSETSF2:
        return sizeof(struct lx_termios2);
    case LX_TIOCSWINSZ:
        return sizeof(struct lx_winsize);
    case LX_TIOCSPGRP:
    case LX_TIOCSPTLCK:
    case LX_TIOCSETD:
        return 4;
    default:
        return 0;
    }
}
static inline uint32_t tty_ioctl_out(uint32_t request)
{
    switch (request) {
    case LX_TCGETS:
        return sizeof(struct lx_termios);
    case LX_TCGETS2:
        return sizeof(struct lx_termios2);
    case LX_TIOCGWINSZ:
        return sizeof(struct lx_winsize);
    case LX_TIOCGPGRP:
    case LX_TIOCGSID:
    case LX_TIOCOUTQ:
    case LX_FIONREAD:
    case LX_TIOCGETD:
    case LX_TIOCGPTN:
    case LX_TIOCGPTLCK:
    case LX_TIOCGEXCL:
    case LX_TIOCGDEV:
        return 4;
    default:
        return 0;
    }
}

// What ttyd asks of init: PROC_OP_GROUP with w[1] = one of these. Allowed to ttyd's environment
// only. Signals are SI_KERNEL's.
enum proc_group_op {
    PROC_GROUP_KILL = 1, // (op, group, signal, session) signal every member; -LX_ESRCH if it is not
                         // a group of the session
    PROC_GROUP_STOP,     // the same, but -LX_EIO and no signal if the group is orphaned
    PROC_GROUP_LEADER,   // (op, session, signal) signal the session's leader; signal 0 asks whether
                         // it lives: -LX_ESRCH
    PROC_GROUP_SID,      // (op, group) -> session of the group, -LX_ESRCH
    PROC_GROUP_CTTY,     // (op, session, rdev) the session's controlling terminal is now rdev, 0 =
                         // none: for the records
};
// The other way init never calls ttyd (two servers that call each other would wait for ever): when
// a session leader has ended, init sets this notification bit of ttyd's environment, and ttyd asks
// which.
#define TTY_NOTIFY_SESSION (1ull << 40)

#endif
