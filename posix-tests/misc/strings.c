// SPDX-License-Identifier: MIT
//
// String and memory functions around page ends: no byte beyond the terminator is touched, whatever
// the alignment.
#include "tap.h"
#include <strings.h>
#include <sys/mman.h>

int main(void)
{
    char copy[128];
    int wrong = 0;
    tap_start();
    char *m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(m != MAP_FAILED && mprotect(m + 4096, 4096, PROT_NONE) == 0);
    for (size_t length = 0; length < 70; length++) {
        char *s = m + 4096 - length - 1;
        memset(s, 'x', length);
        s[length] = 0;
        wrong += strlen(s) != length || strnlen(s, 1000) != length;
        wrong += strchr(s, 'y') != NULL || strrchr(s, 0) != s + length;
        wrong += memchr(s, 0, length + 1) != s + length;
        wrong += strcpy(copy, s) != copy || strcmp(copy, s) != 0;
        wrong += stpcpy(copy, s) != copy + length;
        wrong += strncmp(copy, s, 1000) != 0 || memcmp(copy, s, length + 1) != 0;
        wrong += strspn(s, "x") != length || strcspn(s, "x") != 0;
        wrong += strstr(s, "xy") != NULL || strpbrk(s, "abc") != NULL;
        char *again = strdup(s);
        wrong += strcmp(again, s) != 0 || strcasecmp(again, s) != 0;
        free(again);
    }
    EQ(wrong, 0);
    strcpy(copy, "0123456789");
    memmove(copy + 2, copy, 8);
    STR(copy, "0101234567");
    memmove(copy, copy + 2, 8);
    STR(copy, "0123456767");
    STR(strstr("a needle in", "needle"), "needle in");
    char list[] = ",a,,b;c", *state, *token = strtok_r(list, ",;", &state);
    STR(token, "a");
    STR(strtok_r(NULL, ",;", &state), "b");
    STR(strtok_r(NULL, ",;", &state), "c");
    OK(strtok_r(NULL, ",;", &state) == NULL);
    memset(copy, 'z', sizeof copy);
    strncpy(copy, "ab", 5);
    OK(!memcmp(copy, "ab\0\0\0z", 6));
    OK(strcmp("a", "b") < 0 && strcmp("\xff", "a") > 0);
    OK(memcmp("\x01", "\xff", 1) < 0);
    EQ(ffs(0x50), 5);
    OK(strcoll("a", "b") < 0);
    char text[64];
    EQ(strerror_r(ENOENT, text, sizeof text) != 0 || *text, 1);
    OK(strcmp(strerror(ENOENT), strerror(EACCES)) != 0);
    OK(strerror(99999) != NULL);
    return tap_done();
}
