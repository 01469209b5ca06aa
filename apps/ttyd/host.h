// SPDX-License-Identifier: MIT
/*
 * The terminal server's dealings with the kernel and with init: endpoints of opens, pages shared
 * with clients, process records, signals, I/O ports.
 */
#ifndef TTYD_HOST_H
#define TTYD_HOST_H

#include <exo/exo.h>
#include "ports.h"
#include "tty.h"

struct exo_ctx *host_ctx(void);
static inline uint8_t *host_message(void)
{
    return (uint8_t *)host_ctx() + EXO_PAGE_SIZE;
}

extern const struct tty_host host_ops;

/* Facts about the calling environment from init's process records. False: no such process. */
bool host_caller(exo_env_id_t env, struct tty_caller *who);

/* An endpoint for an open, ready to be sent: its handle, or a negative kernel error. */
int64_t host_open_publish(exo_handle_t service, struct tty_open *open);
/* The open behind a badge, or a handle that lost its last child; NULL if there is none. */
struct tty_open *host_open_by_badge(uint64_t badge);
struct tty_open *host_open_by_handle(exo_handle_t handle);
/* Forget the open's endpoint; call before tty_close. */
void host_open_forget(struct tty_open *open);
exo_handle_t host_page_handle(const struct tty *tty);

/* Make the ports of a capability reachable (0 is ignored). Returns the first port, or 0. */
uint16_t host_ports_add(exo_handle_t ioport);
extern const struct port_io host_io;

#endif
