// SPDX-License-Identifier: MIT
//
// glob(), fnmatch(), wordexp(): patterns, order, hidden names, flags, errors.
#include "tap.h"
#include <fnmatch.h>
#include <glob.h>
#include <wordexp.h>

int main(void)
{
    glob_t g;
    wordexp_t w;
    tap_start();
    tap_tmp();
    SYS(mkdir("d", 0755));
    static const char *const names[] = {"b.c", "a.c", "c.h", ".hidden.c", "d/x.c", "[odd]"};
    for (int i = 0; i < 6; i++)
        tap_put(names[i], 0644, "");
    EQ(glob("*.c", 0, NULL, &g), 0);
    EQ(g.gl_pathc, 2);
    STR(g.gl_pathv[0], "a.c");
    STR(g.gl_pathv[1], "b.c");
    EQ(glob("*/*.[ch]", GLOB_APPEND, NULL, &g), 0);
    EQ(g.gl_pathc, 3);
    STR(g.gl_pathv[2], "d/x.c");
    globfree(&g);
    EQ(glob("*.none", 0, NULL, &g), GLOB_NOMATCH);
    EQ(glob("*.none", GLOB_NOCHECK, NULL, &g), 0);
    STR(g.gl_pathv[0], "*.none");
    EQ(glob("[a-b].?", GLOB_DOOFFS, NULL, &(glob_t){.gl_offs = 2}), 0);
    EQ(glob("d*", GLOB_MARK, NULL, &g), 0);
    STR(g.gl_pathv[0], "d/");
    EQ(glob("\\[odd\\]", 0, NULL, &g), 0);
    STR(g.gl_pathv[0], "[odd]");
    EQ(glob(".*.c", 0, NULL, &g), 0);
    EQ(g.gl_pathc, 1);
    EQ(fnmatch("*.c", "a.c", 0), 0);
    EQ(fnmatch("*.c", "d/a.c", 0), 0);
    EQ(fnmatch("*.c", "d/a.c", FNM_PATHNAME), FNM_NOMATCH);
    EQ(fnmatch("*", ".x", FNM_PERIOD), FNM_NOMATCH);
    EQ(fnmatch("[!a-c]x", "dx", 0), 0);
    EQ(fnmatch("[[:upper:]]*", "Xyz", 0), 0);
    EQ(fnmatch("a\\*", "a*", 0), 0);
    EQ(fnmatch("a\\*", "a\\b", FNM_NOESCAPE), 0);
    if (access("/bin/sh", X_OK) == 0) {
        setenv("V", "two words", 1);
        EQ(wordexp("one $V \"$V\" *.c 'q $V'", &w, 0), 0);
        EQ(w.we_wordc, 7);
        STR(w.we_wordv[2], "words");
        STR(w.we_wordv[3], "two words");
        STR(w.we_wordv[5], "b.c");
        STR(w.we_wordv[6], "q $V");
        OK(wordexp("a | b", &w, 0) != 0);
        EQ(wordexp("$(echo x)", &w, WRDE_NOCMD), WRDE_CMDSUB);
    }
    return tap_done();
}
