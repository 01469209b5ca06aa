// SPDX-License-Identifier: MIT
/*
 * Terminals: the objects behind /dev/console, /dev/ptmx and /dev/pts/N, and the requests on them.
 *
 * Everything here is pure but for malloc and the callbacks of `struct tty_host`; main.c joins it
 * to the kernel, the tests to nothing. Nothing blocks: a request that cannot be answered yet says
 * -EAGAIN and which event word will change (proto/tty.h).
 *
 * A tty has a line discipline and an output queue. What drains the queue is a device (console) or
 * the master of a pty, which also feeds the input. After every event tty_sync() brings the page
 * that clients read up to date and wakes who waits; no other function touches event words.
 *
 * Lifetimes: the console is for ever. A pty lives while its master or any slave is open; its
 * number is free again after that. An open dies with tty_close(), which the death of the last
 * copy of its endpoint causes. A hang-up raises the tty's generation: older opens read end of
 * file and fail otherwise.
 *
 * Memory is the server's, so what one user, and all users together, can make it hold is limited,
 * root excepted: TTY_SHARE, TTY_USERS or what the host says there is.
 */
#ifndef TTYD_TTY_H
#define TTYD_TTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <lx/termios.h>
#include <proto/tty.h>
#include "jobctl.h"
#include "ldisc.h"
#include "ring.h"

#define TTY_MSG_MAX   4096u
#define TTY_GROUPS    32
#define TTY_OUT_PTY   8192u
#define TTY_OUT_DEV   16384u
#define TTY_DRAIN_NS  20000000ull /* a client waiting for drained output asks again after this */
#define TTY_ECHO_ROOM 256u        /* of the output queue writers never fill */
#define TTY_SHARE     (2u << 20)  /* bytes of ours that one user's opens and ptys may take */
#define TTY_USERS     (8u << 20)  /* and those of all users but root */

struct tty;
struct tty_open;

struct tty_caller {
    struct job_caller job; /* from the process record; flags completed per request */
    uint32_t uid, gid;
    uint32_t ngroups, groups[TTY_GROUPS];
};

/* What the server around us does. Results: 0 or more, or -errno. */
struct tty_host {
    struct tty_page *(*page_new)(void *h, struct tty *tty);
    void (*page_free)(void *h, struct tty *tty);
    void (*wake)(void *h, const struct tty *tty, uint32_t *word);
    uint64_t (*now)(void *h); /* ns, monotonic */
    /* proc_group_op of proto/tty.h */
    int (*kill_group)(void *h, int32_t sid, int32_t pgrp, int sig);
    int (*stop_group)(void *h, int32_t sid, int32_t pgrp, int sig);
    int (*signal_leader)(void *h, int32_t sid, int sig);
    int32_t (*group_sid)(void *h, int32_t pgrp);
    void (*set_ctty)(void *h, int32_t sid, uint32_t rdev);
};

/* What a terminal with a real line adds; a pty has none. */
struct tty_dev {
    void (*start)(void *dev);            /* there is output, or it may flow again */
    void (*xchar)(void *dev, uint8_t c); /* at once */
    bool (*drained)(void *dev);          /* nothing left between the queue and the line */
    void (*discard)(void *dev);          /* forget that */
    void (*brk)(void *dev, bool on);
    void (*settings)(void *dev, const struct lx_termios2 *tio);
    void (*winsize)(void *dev, const struct lx_winsize *ws); /* a program set it */
    uint64_t break_ns; /* how long TCSBRK holds a break; 0 = no such thing */
};

LIST_HEAD(tty_list, tty);
LIST_HEAD(tty_open_list, tty_open);
LIST_HEAD(tty_account_list, tty_account);

struct tty_account {
    LIST_ENTRY(tty_account) link;
    struct tty_server *server;
    uint32_t uid;
    size_t bytes;
};

struct tty_server {
    const struct tty_host *host;
    void *h;
    struct tty_list ttys; /* ptys ascending by number, the console first */
    struct tty_account_list accounts;
    size_t users_bytes, users_max; /* held by all users but root, and how much that may be */
};

struct tty {
    LIST_ENTRY(tty) link;
    struct tty_server *server;
    struct tty_open_list opens;
    uint32_t rdev;
    int32_t number; /* of a pty, -1 the console */
    struct ldisc ld;
    struct ring out;
    struct job_tty job;
    struct lx_winsize ws;
    const struct tty_dev *dev;
    void *devp;
    struct tty_page *page;
    void *page_host; /* the host's record of the page */
    struct tty_account *account;
    uint32_t uid, gid, mode;
    uint64_t atime, mtime, ctime;
    uint64_t break_until;
    uint32_t gen;
    uint32_t slaves; /* opens of side 0 */
    bool master;     /* side 1 is open */
    bool locked, slave_was_open, exclusive;
    uint32_t speed;    /* the device's, as last set */
    bool drain_wanted; /* somebody waits for the output to have drained */
    bool in_dirty[2], out_dirty[2], page_dirty;
};

struct tty_open {
    LIST_ENTRY(tty_open) link;
    struct tty *tty;
    struct tty_account *account;
    uint32_t rdev;  /* opened under this number */
    uint32_t flags; /* access mode bits of open(2) */
    uint32_t gen;
    uint8_t side;      /* 0 the terminal, 1 the master */
    uint64_t host_cap; /* the host's handle of the endpoint */
};

/* A request and its answer, as in proto/tty.h. */
struct tty_request {
    uint64_t w[6];           /* in: operation and arguments; out: result and values */
    uint8_t *data;           /* TTY_MSG_MAX bytes, in and out */
    size_t in_bytes;         /* bytes of data the caller sent */
    size_t out_bytes;        /* bytes of data to send back */
    struct tty_open *opened; /* out: send an endpoint for this */
};

void tty_server_init(struct tty_server *s, const struct tty_host *host, void *h);
/* The console. Returns NULL when out of memory. */
struct tty *tty_console_new(struct tty_server *s, const struct tty_dev *dev, void *devp);

/* `open` is NULL for the service endpoint. Hostile input in r; r->w[0] is always set. */
void tty_request(struct tty_server *s, struct tty_open *open, const struct tty_caller *who,
                 struct tty_request *r);
/* The last copy of the open's endpoint is gone. Frees it, and the tty if it was the last. */
void tty_close(struct tty_open *open);
/* Some session leader has ended: hang up the terminals of dead sessions. */
void tty_sessions_check(struct tty_server *s);

/* For devices: bytes that came in; a line error; room in the device for more output. */
void tty_device_input(struct tty *tty, const uint8_t *bytes, size_t n);
void tty_device_error(struct tty *tty, uint8_t c, enum ldisc_error kind);
bool tty_output_held(const struct tty *tty); /* flow control: do not drain `out` now */
void tty_set_winsize(struct tty *tty, const struct lx_winsize *ws);
void tty_sync(struct tty *tty);

/* Between tty.c, tty_open.c and tty_ioctl.c. */
struct tty *tty_of_session(struct tty_server *s, int32_t sid);
int tty_open_request(struct tty_server *s, uint32_t rdev, uint32_t flags,
                     const struct tty_caller *who, struct tty_open **out, bool *ctty);
int tty_open_slave(struct tty *tty, uint32_t flags, const struct tty_caller *who,
                   struct tty_open **out, bool *ctty);
struct tty *tty_by_rdev(struct tty_server *s, uint32_t rdev);
long tty_ioctl(struct tty_open *open, const struct tty_caller *who, struct tty_request *r);
bool tty_is_hung(const struct tty_open *open);
int tty_may_change(struct tty *tty, const struct tty_caller *who);
bool tty_drained(const struct tty *tty);
void tty_flush_out(struct tty *tty);
void tty_hangup(struct tty *tty, bool everyone);

#endif
