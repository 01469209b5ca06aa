// SPDX-License-Identifier: MIT
// Start information, and the domains of servers.
#include "init.h"
#include <stdlib.h>
#include <string.h>

const struct exo_boot_module *module_find(const char *name)
{
    for (uint32_t i = 0; i < own.boot->nmodules && i < EXO_BOOT_MODULES; i++) {
        if (!strcmp(own.boot->module[i].name, name))
            return &own.boot->module[i];
    }
    return NULL;
}

struct libos_start *start_pack(const char *path, char *const argv[], char *const envp[],
                               size_t *bytes)
{
    size_t n = sizeof(struct libos_start) + strlen(path) + 1;
    uint32_t argc = 0, envc = 0;
    for (; argv[argc]; argc++)
        n += strlen(argv[argc]) + 1;
    for (; envp[envc]; envc++)
        n += strlen(envp[envc]) + 1;
    struct libos_start *s = calloc(1, n);
    if (!s)
        return NULL;
    s->size = sizeof(*s);
    s->version = 1;
    s->magic = LIBOS_START_MAGIC;
    s->mode = LIBOS_START_PATH;
    s->argc = argc;
    s->envc = envc;
    s->strings = sizeof(*s);
    s->strings_size = (uint32_t)(n - sizeof(*s));
    char *at = (char *)(s + 1);
    at = stpcpy(at, path) + 1;
    for (; *argv; argv++)
        at = stpcpy(at, *argv) + 1;
    for (; *envp; envp++)
        at = stpcpy(at, *envp) + 1;
    *bytes = n;
    return s;
}

// The well-known slots. Servers, which start before all services are there, get none of them.
struct exo_domain domain_for(exo_handle_t bank, uint32_t rights, exo_handle_t slice,
                             uint64_t cookie)
{
    static struct exo_slot_fill slots[7];
    unsigned n = 0;
    slots[n++] = (struct exo_slot_fill){1, rights, bank};
    slots[n++] = (struct exo_slot_fill){2, EXO_R_CALL, own.endpoint};
    if (own.service[SERVER_FSD] && own.service[SERVER_TTYD]) {
        slots[n++] = (struct exo_slot_fill){3, EXO_R_CALL, own.service[SERVER_FSD]};
        slots[n++] = (struct exo_slot_fill){4, EXO_R_CALL, own.service[SERVER_TTYD]};
    }
    slots[n++] = (struct exo_slot_fill){5, EXO_R_BIND, slice};
    slots[n++] = (struct exo_slot_fill){6, EXO_R_READ, own.proctab};
    slots[n++] = (struct exo_slot_fill){7, EXO_R_READ | EXO_R_EXEC, own.libos.text};
    return (struct exo_domain){
        .bank = bank,
        .supervisor = own.endpoint,
        .cookie = cookie,
        .slice = slice,
        .libos = &own.libos,
        .slots = slots,
        .nslots = n,
    };
}

// Slots from H_FIRST on carry what `more` says; the image of the program takes the next.
int server_start(enum server_kind kind, const char *name, exo_handle_t bank,
                 const uint64_t extra[8], const struct exo_slot_fill *more, unsigned nmore)
{
    const struct exo_boot_module *module = module_find(name);
    struct exo_slot_fill slots[24];
    size_t bytes;
    exo_handle_t env;
    char *argv[] = {(char *)name, NULL}, *envp[] = {NULL};
    if (!module)
        return -1;
    struct libos_start *start = start_pack(name, argv, envp, &bytes);
    if (!start)
        return -1;
    // A server may keep its bank: it learns when memory is wanted back.
    struct exo_domain d =
        domain_for(bank, EXO_R_BUY | EXO_R_READ | EXO_R_BIND, own.slice, SERVER_COOKIE(kind));
    memcpy(slots, d.slots, d.nslots * sizeof(slots[0]));
    memcpy(slots + d.nslots, more, nmore * sizeof(slots[0]));
    d.nslots += nmore;
    slots[d.nslots++] =
        (struct exo_slot_fill){H_FIRST + nmore, EXO_R_READ | EXO_R_EXEC, module->frames};
    d.slots = slots;
    start->mode = LIBOS_START_FRAMES;
    start->image = SLOT_HANDLE(H_FIRST + nmore);
    start->image_bytes = module->bytes;
    memcpy(start->extra, extra, sizeof(start->extra));
    d.start = start;
    d.start_bytes = bytes;
    int64_t err = exo_domain_create(&d, &env);
    if (err >= 0)
        err = exo_domain_start(&d, env);
    free(start);
    own.service_env[kind] = env;
    return (int)err;
}
