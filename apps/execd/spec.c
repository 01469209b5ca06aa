// SPDX-License-Identifier: MIT
// The spec comes from the host's own relay, but a cut or foreign module must not be more than an
// error.
#include "spec.h"

#include <stdlib.h>
#include <string.h>

// The next word, or NULL behind the last.
static char *word(const char **at, const char *end)
{
    const char *start = *at;
    const char *nul = start < end ? memchr(start, 0, (size_t)(end - start)) : NULL;
    if (!nul)
        return NULL;
    *at = nul + 1;
    return (char *)start;
}

static char **list(const char *name, const char **at, const char *end)
{
    const char *head = word(at, end);
    size_t length = strlen(name);
    if (!head || strncmp(head, name, length) != 0)
        return NULL;
    unsigned long n = strtoul(head + length, NULL, 10);
    if (n > (size_t)(end - *at))
        return NULL;
    char **words = calloc(n + 1, sizeof *words);
    for (unsigned long i = 0; words && i < n; i++) {
        words[i] = word(at, end);
        if (!words[i]) {
            free(words);
            return NULL;
        }
    }
    return words;
}

int spec_read(struct spec *spec, const char *bytes, size_t n)
{
    const char *at = bytes, *end = bytes + n;
    spec->argv = list("ARGC=", &at, end);
    spec->envp = spec->argv ? list("ENVC=", &at, end) : NULL;
    const char *input = spec->envp ? word(&at, end) : NULL;
    if (!input || !spec->argv[0]) {
        free(spec->argv);
        free(spec->envp);
        return -1;
    }
    spec->input = strcmp(input, "STDIN=none") != 0;
    return 0;
}
