// SPDX-License-Identifier: MIT
//
// getopt() and getopt_long(): clusters, arguments, the end by "--" and by an operand, errors.
#include "tap.h"
#include <getopt.h>

static const char *parse(char **argv, const char *options)
{
    static char seen[100];
    int argc = 0, n = 0, c;
    static const struct option longs[] = {{"all", no_argument, NULL, 'A'},
                                          {"file", required_argument, NULL, 'F'},
                                          {NULL, 0, NULL, 0}};
    while (argv[argc])
        argc++;
    optind = 1;
    opterr = 0;
    while ((c = getopt_long(argc, argv, options, longs, NULL)) != -1)
        n += snprintf(seen + n, sizeof seen - n, "%c%s%s ", c, optarg ? "=" : "",
                      optarg ? optarg : "");
    snprintf(seen + n, sizeof seen - n, "| %s", argv[optind] ? argv[optind] : "end");
    return seen;
}

int main(void)
{
    tap_start();
    STR(parse((char *[]){"p", "-ab", "-cX", "-c", "Y", "rest", NULL}, "+abc:"),
        "a b c=X c=Y | rest");
    STR(parse((char *[]){"p", "-a", "--", "-b", NULL}, "+ab"), "a | -b");
    STR(parse((char *[]){"p", "-x", "-a", NULL}, "+a"), "? a | end");
    STR(parse((char *[]){"p", "-c", NULL}, "+:c:"), ": | end");
    STR(parse((char *[]){"p", "-a", "-", "-b", NULL}, "+ab"), "a | -");
    STR(parse((char *[]){"p", "--all", "--file=x", "--file", "y", "z", NULL}, "+a"),
        "A F=x F=y | z");
    char *argv[] = {"p", "-n", "5", "file", NULL};
    optind = 1;
    EQ(getopt(4, argv, "n:"), 'n');
    STR(optarg, "5");
    EQ(getopt(4, argv, "n:"), -1);
    EQ(optind, 3);
    char text[] = "ro,size=5,bogus", *sub = text, *value;
    char *const tokens[] = {"ro", "size", NULL};
    EQ(getsubopt(&sub, tokens, &value), 0);
    EQ(getsubopt(&sub, tokens, &value), 1);
    STR(value, "5");
    EQ(getsubopt(&sub, tokens, &value), -1);
    return tap_done();
}
