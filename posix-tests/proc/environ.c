// SPDX-License-Identifier: MIT
//
// getenv(), setenv(), putenv(), unsetenv(), clearenv by environ: rules and errors.
#include "tap.h"
extern char **environ;

int main(void)
{
    static char text[] = "PUT=1";
    tap_start();
    EQ(setenv("T", "one", 1), 0);
    STR(getenv("T"), "one");
    EQ(setenv("T", "two", 0), 0);
    STR(getenv("T"), "one");
    EQ(setenv("T", "two", 1), 0);
    STR(getenv("T"), "two");
    EQ(setenv("EMPTY", "", 1), 0);
    STR(getenv("EMPTY"), "");
    EQ(unsetenv("T"), 0);
    OK(getenv("T") == NULL);
    EQ(unsetenv("T"), 0);
    EQ(putenv(text), 0);
    text[4] = '9';
    STR(getenv("PUT"), "9");
    ERR(setenv("A=B", "x", 1), EINVAL);
    ERR(setenv("", "x", 1), EINVAL);
    ERR(unsetenv("A=B"), EINVAL);
    ERR(unsetenv(""), EINVAL);
    OK(getenv("PU") == NULL);
    for (int i = 0; i < 200; i++) {
        char name[16];
        snprintf(name, sizeof name, "N%d", i);
        NEED(setenv(name, name, 1) == 0);
    }
    STR(getenv("N123"), "N123");
    char *only[] = {"X=y", NULL};
    environ = only;
    STR(getenv("X"), "y");
    OK(getenv("PUT") == NULL);
    EQ(setenv("Z", "z", 1), 0);
    STR(getenv("Z"), "z");
    STR(getenv("X"), "y");
    return tap_done();
}
