// SPDX-License-Identifier: MIT
//
// scanf family and strto*: conversions, sets, counts at mismatch, range errors, exact doubles.
#include "tap.h"
#include <math.h>

int main(void)
{
    int a, b, n;
    long l;
    double d;
    char s[32], t[32], *end;
    tap_start();
    EQ(sscanf("12 -34 0x1f", "%d %d %i", &a, &b, &n), 3);
    OK(a == 12 && b == -34 && n == 31);
    EQ(sscanf("abc 12", "%d", &a), 0);
    EQ(sscanf("", "%d", &a), EOF);
    EQ(sscanf("key=value rest", "%31[a-z]=%31s%n", s, t, &n), 2);
    STR(s, "key");
    STR(t, "value");
    EQ(n, 9);
    EQ(sscanf("a]b", "%31[^]]", s), 1);
    STR(s, "a");
    EQ(sscanf("1.5e3x", "%lf%31s", &d, s), 2);
    OK(d == 1500.0);
    EQ(sscanf("12345", "%2d%3s", &a, s), 2);
    OK(a == 12 && !strcmp(s, "345"));
    EQ(sscanf("5 6", "%*d %ld", &l), 1);
    EQ(l, 6);
    char *fresh = NULL;
    EQ(sscanf("word x", "%ms", &fresh), 1);
    STR(fresh, "word");
    EQ(strtol("  -123abc", &end, 10), -123);
    STR(end, "abc");
    EQ(strtol("zz", &end, 36), 35 * 36 + 35);
    EQ(strtol("0x", &end, 16), 0);
    STR(end, "x");
    errno = 0;
    EQ(strtol("99999999999999999999", NULL, 10), LONG_MAX);
    EQ(errno, ERANGE);
    EQ(strtoul("-1", NULL, 10) == ULONG_MAX, 1);
    OK(strtod("0.1", NULL) == 0.1);
    OK(strtod("1e-320", NULL) > 0);
    OK(strtod("0x1.8p1", NULL) == 3.0);
    OK(strtod("179769313486231580793e289", NULL) == INFINITY);
    OK(isnan(strtod("nan", &end)) && !*end);
    OK(strtod("9007199254740993", NULL) == 9007199254740992.0);
    OK(strtod("2.2250738585072011e-308", NULL) == 2.2250738585072011e-308);
    EQ(atoi("42x"), 42);
    return tap_done();
}
