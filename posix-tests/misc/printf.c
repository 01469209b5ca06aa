// SPDX-License-Identifier: MIT
//
// printf family: conversions, widths, precisions, doubles to the last digit, %n$, truncation
// counts.
#include "tap.h"
#include <math.h>
#include <stddef.h>
#include <wchar.h>
static char buf[500];
#define P(want, ...)                                                                               \
    do {                                                                                           \
        snprintf(buf, sizeof buf, __VA_ARGS__);                                                    \
        STR(buf, want);                                                                            \
    } while (0)

int main(void)
{
    volatile double zero = 0;
    tap_start();
    P("[   42|42   |00042|+42| 42]", "[%5d|%-5d|%05d|%+d|% d]", 42, 42, 42, 42, 42);
    P("[ff|FF|0xff|377|0377]", "[%x|%X|%#x|%o|%#o]", 255, 255, 255, 255, 255);
    P("[-9223372036854775808|18446744073709551615]", "[%lld|%llu]", LLONG_MIN, ULLONG_MAX);
    P("[-1|255|-128]", "[%hd|%hhu|%hhd]", (short)-1, (unsigned char)255, (signed char)-128);
    P("[abc|ab|  abc|abc  |c|%]", "[%s|%.2s|%5s|%-5s|%c|%%]", "abc", "abc", "abc", "abc", 'c');
    P("[1.500000|1.50|2|1.5e+00|1.5]", "[%f|%.2f|%.0f|%.1e|%g]", 1.5, 1.5, 1.5, 1.5, 1.5);
    P("[0.1|0.10000000000000001|1e-05|100000|1e+06]", "[%g|%.17g|%g|%g|%g]", 0.1, 0.1, 1e-5, 1e5,
      1e6);
    P("[inf|-inf|nan|INF]", "[%f|%f|%f|%F]", INFINITY, -INFINITY, fabs(NAN), INFINITY);
    P("[2.2250738585072014e-308]", "[%.17g]", 2.2250738585072014e-308);
    P("[4.9406564584124654e-324]", "[%.17g]", 4.9406564584124654e-324);
    P("[1.7976931348623157e+308]", "[%.17g]", 1.7976931348623157e308);
    P("[123456789012345680]", "[%.0f]", 123456789012345678.0);
    P("[0x1.8p+1|0x1p-2]", "[%a|%a]", 3.0, 0.25);
    P("[0 2 2 4]", "[%.0f %.0f %.0f %.0f]", 0.5, 1.5, 2.5, 3.5);
    P("[-0.0|+0.0]", "[%.1f|%+.1f]", -zero, zero);
    P("[3.14159265358979323851]", "[%.20Lf]", 3.14159265358979323846L);
    P("[b a]", "[%2$s %1$s]", "a", "b");
    P("[   00042|  abc]", "[%*.*d|%*s]", 8, 5, 42, 5, "abc");
    P("[10|7|5]", "[%zu|%td|%jd]", (size_t)10, (ptrdiff_t)7, (intmax_t)5);
    EQ(snprintf(buf, 4, "%s", "123456"), 6);
    STR(buf, "123");
    EQ(snprintf(NULL, 0, "%d", 12345), 5);
    char *text = NULL;
    EQ(asprintf(&text, "%d-%s", 5, "x"), 3);
    STR(text, "5-x");
    wchar_t wide[32];
    EQ(swprintf(wide, 32, L"%d %s", 7, "abc"), 5);
    OK(!wcscmp(wide, L"7 abc"));
    return tap_done();
}
