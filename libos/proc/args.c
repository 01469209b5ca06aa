// SPDX-License-Identifier: MIT
//
// Arguments and environment on their way from one program to the next: the old program's memory
// goes before the new stack exists, so the strings wait in the libOS's heap. Also the "#!" line,
// which changes argv.
#include <proc/exec.h>

static int room_for(struct strings *s, size_t n)
{
    if (s->room - s->used >= n)
        return 0;
    size_t want = s->room ? s->room * 2 : 1024;
    while (want - s->used < n)
        want *= 2;
    char *text = heap_resize(s->text, s->used, want);
    if (!text)
        return -LX_ENOMEM;
    s->text = text;
    s->room = want;
    return 0;
}

int strings_add(struct strings *s, const char *text, size_t n)
{
    int error = room_for(s, n + 1);
    if (error)
        return error;
    memcpy(s->text + s->used, text, n);
    s->text[s->used + n] = 0;
    s->used += n + 1;
    s->count++;
    return 0;
}

// One string of the application, straight into the buffer, which grows while it does not fit.
static int add_from(struct strings *s, uint64_t from)
{
    for (size_t room = 128;; room *= 4) {
        if (room > ARG_STRING_MAX)
            room = ARG_STRING_MAX;
        int error = room_for(s, room);
        if (error)
            return error;
        size_t max = s->room - s->used;
        if (max > ARG_STRING_MAX)
            max = ARG_STRING_MAX;
        long n = user_string(s->text + s->used, from, max);
        if (n >= 0) {
            s->used += (size_t)n + 1;
            s->count++;
            return 0;
        }
        if (n != -LX_ENAMETOOLONG)
            return (int)n;
        if (max >= ARG_STRING_MAX)
            return -LX_E2BIG;
    }
}

#define POINTERS 32

int strings_copy(struct strings *s, uint64_t array, size_t *total)
{
    uint64_t p[POINTERS] = {0};
    for (unsigned i = POINTERS; array; i++, array += sizeof p[0]) {
        if (i >= POINTERS) { // several at a time, but not across a page the array may not reach
            size_t left = (EXO_PAGE_SIZE - array % EXO_PAGE_SIZE) / sizeof p[0];
            size_t n = left && left < POINTERS ? left : left ? POINTERS : 1;
            i = (unsigned)(POINTERS - n);
            if (user_read(p + i, array, n * sizeof p[0]))
                return -LX_EFAULT;
        }
        if (!p[i])
            return 0;
        size_t before = s->used;
        int error = add_from(s, p[i]);
        if (error)
            return error;
        *total += s->used - before + sizeof p[0];
        if (*total > ARG_TOTAL_MAX)
            return -LX_E2BIG;
    }
    return 0;
}

// argv of an interpreter: itself, its argument, the script, and the script's arguments.
int strings_script(struct strings *argv, const char *interp, const char *arg, const char *path)
{
    struct strings new = {0};
    int error = strings_add(&new, interp, strlen(interp));
    if (!error && arg)
        error = strings_add(&new, arg, strlen(arg));
    if (!error)
        error = strings_add(&new, path, strlen(path));
    size_t first = argv->count ? strlen(argv->text) + 1 : 0;
    if (!error && !(error = room_for(&new, argv->used - first + 1))) {
        memcpy(new.text + new.used, argv->text + first, argv->used - first);
        new.used += argv->used - first;
        new.count += argv->count ? argv->count - 1 : 0;
    }
    if (error) {
        heap_free(new.text);
        return error;
    }
    heap_free(argv->text);
    *argv = new;
    return 0;
}

const char *strings_find(const struct strings *s, const char *prefix)
{
    size_t n = strlen(prefix);
    for (size_t at = 0; at < s->used; at += strlen(s->text + at) + 1)
        if (s->used - at >= n && memcmp(s->text + at, prefix, n) == 0)
            return s->text + at + n;
    return NULL;
}

void args_free(struct args *a)
{
    heap_free(a->argv.text);
    heap_free(a->envp.text);
    *a = (struct args){0};
}

// --- #!
static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

// As Linux: one word, then the rest of the line without blanks around it as one argument.
int script_parse(char *head, size_t n, char **interp, char **arg)
{
    if (n < 2 || head[0] != '#' || head[1] != '!')
        return -LX_ENOEXEC;
    size_t end = 2;
    while (end < n && head[end] != '\n' && head[end] != 0)
        end++;
    bool cut = end == n && n >= SCRIPT_HEAD; // the line goes on
    size_t at = 2;
    while (at < end && blank(head[at]))
        at++;
    size_t word = at;
    while (at < end && !blank(head[at]))
        at++;
    if (at == word || (cut && at == end))
        return -LX_ENOEXEC;
    *interp = head + word;
    size_t rest = at;
    while (rest < end && blank(head[rest]))
        rest++;
    while (end > rest && blank(head[end - 1]))
        end--;
    *arg = rest < end ? head + rest : NULL;
    head[end] = 0;
    head[at] = 0;
    return 0;
}
