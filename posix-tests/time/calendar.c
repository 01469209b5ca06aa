// SPDX-License-Identifier: MIT
//
// gmtime(), mktime(), localtime() with TZ rules, strftime(), strptime(): known moments, leap years,
// normalisation, daylight saving.
#include "tap.h"

static const char *text(const char *format, struct tm *tm)
{
    static char buf[100];
    return strftime(buf, sizeof buf, format, tm) ? buf : "";
}

int main(void)
{
    struct tm tm;
    time_t t = 0;
    tap_start();
    STR(text("%Y-%m-%d %H:%M:%S %j %u %a", gmtime_r(&t, &tm)), "1970-01-01 00:00:00 001 4 Thu");
    t = 951827696;
    STR(text("%F %T %j %A %B", gmtime_r(&t, &tm)), "2000-02-29 12:34:56 060 Tuesday February");
    t = 4102444799;
    STR(text("%F %T", gmtime_r(&t, &tm)), "2099-12-31 23:59:59");
    t = -1;
    STR(text("%F %T", gmtime_r(&t, &tm)), "1969-12-31 23:59:59");
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    STR(tzname[0], "CET");
    STR(tzname[1], "CEST");
    EQ(timezone, -3600);
    t = 1700000000;
    STR(text("%F %T %Z %z", localtime_r(&t, &tm)), "2023-11-14 23:13:20 CET +0100");
    EQ(tm.tm_isdst, 0);
    EQ(mktime(&tm), t);
    t = 1690000000;
    STR(text("%F %T %Z %z", localtime_r(&t, &tm)), "2023-07-22 06:26:40 CEST +0200");
    EQ(tm.tm_isdst, 1);
    EQ(mktime(&tm), t);
    tm = (struct tm){.tm_year = 123, .tm_mon = 13, .tm_mday = 0, .tm_hour = 25, .tm_isdst = -1};
    OK(mktime(&tm) != -1);
    STR(text("%F %T", &tm), "2024-02-01 01:00:00");
    tm = (struct tm){.tm_year = 124, .tm_mon = 1, .tm_mday = 30, .tm_isdst = -1};
    mktime(&tm);
    STR(text("%F %U %V %y %C %e %I %p %%", &tm), "2024-03-01 08 09 24 20  1 12 AM %");
    setenv("TZ", "UTC0", 1);
    tzset();
    memset(&tm, 0, sizeof tm);
    OK(strptime("2024-03-10 11:22:33", "%Y-%m-%d %H:%M:%S", &tm) != NULL);
    EQ(mktime(&tm), 1710069753);
    OK(strptime("x", "%Y", &tm) == NULL);
    STR(asctime(&tm), "Sun Mar 10 11:22:33 2024\n");
    EQ(strftime((char[3]){0}, 3, "%Y", &tm), 0);
    OK(difftime(10, 4) == 6.0);
    setenv("TZ", "<-03>3", 1);
    t = 0;
    STR(text("%F %H %Z", localtime(&t)), "1969-12-31 21 -03");
    return tap_done();
}
