// SPDX-License-Identifier: MIT
//
// getline(), getdelim(), open_memstream(), fmemopen(), tmpfile(), and a FIFO under stdio.
#include "tap.h"

int main(void)
{
    char *line = NULL, *text = NULL, buf[32] = "";
    size_t size = 0, length = 0;
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "one\n\nlast;x");
    FILE *f = fopen("f", "r");
    EQ(getline(&line, &size, f), 4);
    STR(line, "one\n");
    EQ(getline(&line, &size, f), 1);
    EQ(getdelim(&line, &size, ';', f), 5);
    STR(line, "last;");
    EQ(getline(&line, &size, f), 1);
    EQ(getline(&line, &size, f), -1);
    OK(feof(f));
    fclose(f);
    f = open_memstream(&text, &length);
    OK(f && fprintf(f, "%d %s", 5, "abc") == 5);
    EQ(fflush(f), 0);
    EQ(length, 5);
    STR(text, "5 abc");
    for (int i = 0; i < 1000; i++)
        fputs("0123456789", f);
    EQ(fclose(f), 0);
    EQ(length, 10005);
    f = fmemopen(buf, sizeof buf, "w+");
    OK(f && fputs("memory", f) >= 0 && fflush(f) == 0);
    STR(buf, "memory");
    fclose(f);
    f = tmpfile();
    OK(f != NULL);
    OK(fputs("temporary", f) >= 0);
    rewind(f);
    STR(fgets(buf, sizeof buf, f), "temporary");
    fclose(f);
    SYS(mkfifo("p", 0600));
    pid_t pid = tap_fork();
    if (pid == 0) {
        FILE *out = fopen("p", "w");
        for (int i = 0; i < 2000; i++)
            fprintf(out, "line %d\n", i);
        _exit(fclose(out));
    }
    f = fopen("p", "r");
    int wrong = 0, n = 0;
    for (int i; getline(&line, &size, f) > 0; n++)
        wrong += sscanf(line, "line %d", &i) != 1 || i != n;
    EQ(n, 2000);
    EQ(wrong, 0);
    EQ(tap_wait(pid), 0);
    return tap_done();
}
