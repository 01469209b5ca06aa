// SPDX-License-Identifier: MIT
// exec in pieces: arguments (args.c), initial stack (stack.c), the change itself (exec.c).
#ifndef PROC_EXEC_H
#define PROC_EXEC_H

#include <proc/elf.h>

#define ARG_STRING_MAX (128u << 10) // one string with its NUL
#define ARG_TOTAL_MAX  (2u << 20)   // all strings and pointers

struct strings { // NUL-terminated, one behind the other; in the libOS's heap
    char *text;
    size_t used, room;
    unsigned count;
};
struct args {
    struct strings argv, envp;
};

// Copies a NULL-terminated array of the application (0: an empty one). 0, -LX_E2BIG, -LX_EFAULT,
// -LX_ENOMEM.
int strings_copy(struct strings *s, uint64_t array, size_t *total);
int strings_add(struct strings *s, const char *text, size_t n); // n without NUL
int strings_script(struct strings *argv, const char *interp, const char *arg, const char *path);
const char *strings_find(const struct strings *s,
                         const char *prefix); // what follows the prefix, or NULL
void args_free(struct args *a);

// "#!" line in the first n bytes of a file, with room for one more. 0 and the words, -LX_ENOEXEC
// when it is none.
#define SCRIPT_HEAD 256
int script_parse(char *head, size_t n, char **interp, char **arg);

// setid.c: hands over to a fresh environment made by init; returns only with an error.
int setid_exec(const char *path, const struct args *a);
void exec_keep(struct libos_kept *kept);
void exec_inherit(const struct libos_kept *kept);

struct loaded {     // what the initial stack tells
    uint64_t entry; // where the process starts: of the interpreter if there is one
    uint64_t at_entry, at_phdr, at_base;
    uint16_t phnum;
    uint64_t at_start; // AT_EXO_START, or 0
    const char *path;  // AT_EXECFN
};
// Maps the stack and writes argc, argv, envp, auxv. 0 or -LX_E...; *sp as at the first instruction.
int stack_build(const struct args *a, const struct loaded *l, uint64_t *sp);

#endif
