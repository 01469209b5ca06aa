// SPDX-License-Identifier: MIT
//
// popen(), pclose(): reading from and writing to a command, its status, several at once.
#include "tap.h"

int main(void)
{
    char line[64] = "";
    tap_start();
    if (access("/bin/sh", X_OK))
        tap_skip_all("no /bin/sh");
    tap_tmp();
    FILE *in = popen("echo one; echo two; exit 3", "r");
    OK(in != NULL);
    STR(fgets(line, sizeof line, in), "one\n");
    STR(fgets(line, sizeof line, in), "two\n");
    OK(fgets(line, sizeof line, in) == NULL);
    int status = pclose(in);
    EQ(WEXITSTATUS(status), 3);
    FILE *out = popen("read a; read b; echo \"$b $a\" >f", "w");
    FILE *second = popen("exit 5", "r");
    OK(fprintf(out, "first\nsecond\n") > 0);
    EQ(pclose(out), 0);
    STR(tap_get("f"), "second first\n");
    status = pclose(second);
    EQ(WEXITSTATUS(status), 5);
    ERR_NULL(popen("true", "x"), EINVAL);
    return tap_done();
}
