// SPDX-License-Identifier: MIT
//
// #! scripts: the interpreter gets its one optional argument, the path of the script and the rest;
// blanks are trimmed, the name may be relative, scripts may be interpreters a level deep.
#include "tap.h"

static int show(int argc, char **argv)
{
    FILE *out = fopen("result", "w");
    for (int i = 1; i < argc; i++)
        fprintf(out, "[%s]", argv[i]);
    return fclose(out);
}

static const char *run(const char *path, const char *text)
{
    if (text)
        tap_put(path, 0755, text);
    unlink("result");
    pid_t pid = tap_fork();
    if (pid == 0) {
        execl(path, "name", "a b", "c", NULL);
        _exit(98);
    }
    EQ(tap_wait(pid), 0);
    return access("result", F_OK) ? "no result" : tap_get("result");
}

int main(int argc, char **argv)
{
    char text[PATH_MAX * 2 + 64];
    if (argc > 1)
        return show(argc, argv);
    tap_start();
    const char *self = tap_self(argv);
    tap_tmp();
    SYS(symlink(self, "i"));
    snprintf(text, sizeof text, "#!%s/i\nrest\n", tap_dir);
    if (strlen(text) > 120)
        tap_skip_all("the temporary directory has too long a name");
    STR(run("./plain", text), "[./plain][a b][c]");
    snprintf(text, sizeof text, "#! \t%s/i  one two \t\n", tap_dir);
    STR(run("./argument", text), "[one two][./argument][a b][c]");
    STR(run("./relative", "#!./i x"), "[x][./relative][a b][c]");
    SYS(mkdir("d", 0755));
    STR(run("d/script", "#!i -f\n"), "[-f][d/script][a b][c]");
    STR(run("./nested", "#!./argument -n\n"), "[one two][./argument][-n][./nested][a b][c]");
    return tap_done();
}
