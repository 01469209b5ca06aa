// SPDX-License-Identifier: MIT
/*
 * Building a protection domain: an environment with the library OS in it, ready to run a program.
 * init makes servers and the first process this way; a research app may make domains of its own.
 *
 * Also mapping of capabilities for programs that work below POSIX (exo_map).
 */
#ifndef EXO_DOMAIN_H
#define EXO_DOMAIN_H

#include <exo/exo.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The library OS's image, as the boot module gives it. */
struct exo_libos_image {
    exo_handle_t text; /* SEGMENT of its text */
    const void *data;  /* initial bytes of .data */
    uint64_t data_bytes;
    uint64_t data_pages; /* .data and .bss */
    uint64_t entry;
};

struct exo_slot_fill {
    uint32_t index; /* slot in the new environment's table */
    uint32_t rights;
    exo_handle_t cap; /* copied */
};

struct exo_domain {
    exo_handle_t bank;       /* pays */
    exo_handle_t supervisor; /* endpoint that learns of its death, or 0 */
    uint64_t cookie;
    exo_handle_t slice;
    const struct exo_libos_image *libos;
    const struct exo_slot_fill *slots;
    unsigned nslots;
    void *start;          /* struct libos_start with its strings ... */
    uint64_t start_bytes; /* ... at most 256 pages */
};

/* Makes the environment and its address space, fills the slots. *env is its handle with all rights.
 * The context is not there yet: exo_domain_start makes and starts it. 0 or a negative kernel error.
 */
int64_t exo_domain_create(const struct exo_domain *d, exo_handle_t *env);
/* Writes the start information again, when handles in it became known after exo_domain_create. */
int64_t exo_domain_write_start(const struct exo_domain *d, exo_handle_t env);
int64_t exo_domain_start(const struct exo_domain *d, exo_handle_t env);

/* Reads the library OS's ELF image at `elf` (mapped, `bytes` long) whose frames are `module`; makes
 * the text segment, bought from `bank`. 0, or a negative kernel error; -EXO_EINVAL when it is not
 * such an image. */
int64_t exo_libos_image_read(exo_handle_t bank, exo_handle_t module, const void *elf,
                             uint64_t bytes, struct exo_libos_image *image);

/* Maps `pages` of a FRAMES or SEGMENT capability from `first` on somewhere. NULL when there is no
 * room or memory. A mapping lives as long as its capability; for more than 512 pages copies of the
 * capability are made. Tables are bought from exo_map_bank, H_BANK unless the program sets it. */
extern exo_handle_t exo_map_bank;
void *exo_map(exo_handle_t cap, uint64_t first, uint64_t pages, uint32_t rights);

#ifdef __cplusplus
}
#endif
#endif
