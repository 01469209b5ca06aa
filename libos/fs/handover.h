// SPDX-License-Identifier: MIT
// Rebuilding a file from the capabilities it had elsewhere: what each kind of file offers to
// handover.c. The capabilities are the caller's to delete on failure.
#ifndef FS_HANDOVER_H
#define FS_HANDOVER_H
#include <fs/file.h>

extern exo_handle_t libos_machine; // core/start.c
int log_install(exo_handle_t machine);
int file_hand_over(struct file *file, struct libos_start_fd *out, struct exo_send *send);

exo_handle_t tty_page_cap(const struct file *file);
void pipe_caps(const struct file *file, uint64_t *writers, uint64_t *readers);
long node_rebuild(uint32_t kind, uint32_t flags, exo_handle_t endpoint, exo_handle_t node,
                  struct file **out);
long tty_rebuild(uint32_t rdev, uint32_t flags, exo_handle_t endpoint, exo_handle_t page,
                 struct file **out);
long pipe_rebuild(uint32_t flags, exo_handle_t writers, exo_handle_t readers, exo_handle_t endpoint,
                  struct file **out);

#endif
