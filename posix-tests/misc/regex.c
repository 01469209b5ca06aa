// SPDX-License-Identifier: MIT
//
// regcomp(), regexec(): basic and extended expressions, sub-matches, flags, errors, leftmost
// longest.
#include "tap.h"
#include <regex.h>

static int match(const char *pattern, int flags, const char *text, int *from, int *to)
{
    regex_t r;
    regmatch_t m[4];
    if (regcomp(&r, pattern, flags))
        return -1;
    int result = regexec(&r, text, 4, m, 0);
    *from = result ? -1 : m[1].rm_so;
    *to = result ? -1 : m[1].rm_eo;
    regfree(&r);
    return result ? 0 : m[0].rm_eo - m[0].rm_so + 1;
}

int main(void)
{
    int a, b;
    char text[64];
    tap_start();
    EQ(match("b+(c)", REG_EXTENDED, "aabbbcd", &a, &b), 5);
    OK(a == 5 && b == 6);
    EQ(match("a\\(b*\\)c", 0, "xabbc", &a, &b), 5);
    OK(a == 2 && b == 4);
    EQ(match("^(foo|foobar)$", REG_EXTENDED, "foobar", &a, &b), 7);
    EQ(match("foo|foobar", REG_EXTENDED, "foobar", &a, &b), 7);
    EQ(match("[[:digit:]]{2,3}", REG_EXTENDED, "a12345", &a, &b), 4);
    EQ(match("HELLO", REG_ICASE, "say hello", &a, &b), 6);
    EQ(match("[^a-c]", 0, "abcabc", &a, &b), 0);
    EQ(match("a.c", 0, "a\nc", &a, &b), 4);
    EQ(match("a.c", REG_NEWLINE, "a\nc", &a, &b), 0);
    EQ(match("^b", REG_NEWLINE, "a\nb", &a, &b), 2);
    EQ(match("\\(.\\)\\1", 0, "abccd", &a, &b), 3);
    EQ(match("(", REG_EXTENDED, "x", &a, &b), -1);
    EQ(match("[a", 0, "x", &a, &b), -1);
    EQ(match("", 0, "x", &a, &b), 1);
    EQ(match("x*", 0, "yyy", &a, &b), 1);
    regex_t r;
    EQ(regcomp(&r, "a{2", REG_EXTENDED) != 0, 1);
    EQ(regcomp(&r, "*a(", REG_EXTENDED) != 0, 1);
    EQ(regcomp(&r, "a(b)(c)", REG_EXTENDED), 0);
    EQ(r.re_nsub, 2);
    EQ(regexec(&r, "abc", 0, NULL, 0), 0);
    EQ(regexec(&r, "xyz", 0, NULL, 0), REG_NOMATCH);
    OK(regerror(REG_NOMATCH, &r, text, sizeof text) > 1 && *text);
    regfree(&r);
    return tap_done();
}
