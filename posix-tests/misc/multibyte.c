// SPDX-License-Identifier: MIT
//
// UTF-8 in the C library: mbstowcs, wcstombs, mbrtowc piecewise, invalid sequences, wide stdio,
// iconv.
#include "tap.h"
#include <iconv.h>
#include <locale.h>
#include <wchar.h>
#include <wctype.h>
static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";

int main(void)
{
    wchar_t wide[16];
    char back[32];
    mbstate_t state = {0};
    tap_start();
    tap_tmp();
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        tap_skip_all("no UTF-8 locale");
    EQ(MB_CUR_MAX >= 4, 1);
    EQ(mbstowcs(wide, text, 16), 4);
    OK(wide[0] == 'a' && wide[1] == 0xe4 && wide[2] == 0x20ac && wide[3] == 0x1f600);
    EQ(wcstombs(back, wide, sizeof back), 10);
    STR(back, text);
    wchar_t c;
    EQ(mbrtowc(&c, "\xe2", 1, &state), (size_t)-2);
    EQ(mbrtowc(&c, "\x82", 1, &state), (size_t)-2);
    EQ(mbrtowc(&c, "\xac", 1, &state), 1);
    EQ(c, 0x20ac);
    static const char *const bad[] = {"\xff", "\xc0\x80", "\xed\xa0\x80", "\x80"};
    for (int i = 0; i < 4; i++) {
        state = (mbstate_t){0};
        ERR(mbrtowc(&c, bad[i], strlen(bad[i]), &state), EILSEQ);
    }
    EQ(towupper(0xe4), 0xc4);
    OK(iswalpha(0xe4) && !iswalpha(0x20ac));
    EQ(wcwidth(L'a'), 1);
    FILE *f = fopen("w", "w+");
    OK(fputws(wide, f) >= 0);
    rewind(f);
    EQ(fgetwc(f), 'a');
    EQ(fgetwc(f), 0xe4);
    fclose(f);
    iconv_t cd = iconv_open("UTF-16BE", "UTF-8");
    OK(cd != (iconv_t)-1);
    char *in = (char *)text, *out = back;
    size_t left = 10, room = sizeof back;
    EQ(iconv(cd, &in, &left, &out, &room), 0);
    EQ(sizeof back - room, 10);
    OK(!memcmp(back, "\0a\0\xe4\x20\xac\xd8\x3d\xde\0", 10));
    iconv_close(cd);
    cd = iconv_open("UTF-8", "ISO-8859-1");
    in = (char *)"\xe4\xff", out = back, left = 2, room = 3;
    ERR(iconv(cd, &in, &left, &out, &room), E2BIG);
    EQ(left, 1);
    iconv_close(cd);
    cd = iconv_open("UTF-16LE", "UTF-8");
    in = (char *)"\xff", out = back, left = 1, room = 30;
    ERR(iconv(cd, &in, &left, &out, &room), EILSEQ);
    iconv_close(cd);
    ERR(iconv_open("no-such-set", "UTF-8"), EINVAL);
    return tap_done();
}
