// SPDX-License-Identifier: MIT
//
// fseek(), ftell(), ungetc(), feof(), ferror(), rewind(), mixed reading and writing.
#include "tap.h"

int main(void)
{
    char buf[32] = "";
    tap_start();
    tap_tmp();
    FILE *f = fopen("f", "w+");
    NEED(f);
    EQ(fwrite("hello world\n", 1, 12, f), 12);
    EQ(ftell(f), 12);
    EQ(fseek(f, 6, SEEK_SET), 0);
    EQ(getc(f), 'w');
    EQ(ungetc('W', f), 'W');
    EQ(ftell(f), 6);
    STR(fgets(buf, sizeof buf, f), "World\n");
    EQ(getc(f), EOF);
    OK(feof(f) && !ferror(f));
    EQ(ungetc('x', f), 'x');
    OK(!feof(f));
    EQ(getc(f), 'x');
    EQ(getc(f), EOF);
    clearerr(f);
    OK(!feof(f));
    EQ(fseek(f, 0, SEEK_SET), 0);
    EQ(fputs("J", f) >= 0, 1);
    EQ(fseek(f, -1, SEEK_CUR), 0);
    STR(fgets(buf, 6, f), "Jello");
    EQ(fseeko(f, -3, SEEK_END), 0);
    EQ(fread(buf, 1, 10, f), 3);
    ERR(fseek(f, -100, SEEK_SET), EINVAL);
    rewind(f);
    EQ(ftello(f), 0);
    fpos_t pos;
    EQ(fgetpos(f, &pos), 0);
    EQ(getc(f), 'J');
    EQ(fsetpos(f, &pos), 0);
    EQ(getc(f), 'J');
    EQ(fclose(f), 0);
    f = fopen("f", "r");
    EQ(fputs("x", f), EOF);
    OK(ferror(f));
    fclose(f);
    f = fopen("f", "a+");
    fputs("tail", f);
    rewind(f);
    STR(fgets(buf, sizeof buf, f), "Jello world\n");
    fclose(f);
    ERR_NULL(fopen("f", "wx"), EEXIST);
    ERR_NULL(fopen("none", "r"), ENOENT);
    ERR_NULL(fopen("f", "z"), EINVAL);
    f = freopen("g", "w", fopen("f", "r"));
    OK(f && fputs("x", f) >= 0 && fclose(f) == 0);
    STR(tap_get("g"), "x");
    return tap_done();
}
