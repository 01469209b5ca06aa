// SPDX-License-Identifier: MIT
//
// Program headers (hostile input), "#!" lines and argument blocks.
#include <proc/exec.h>
#include "host.h"

// --- ELF
// -------------------------------------------------------------------------------------------------
#define SIZE 0x300000ull

static struct lx_elf_phdr headers[2];

static struct elf good(void)
{
    struct elf e = {.ph = headers,
                    .head = {.e_ident = {0x7f, 'E', 'L', 'F', 2, 1, 1}, .e_type = LX_ET_EXEC}};
    e.head.e_machine = LX_EM_X86_64;
    e.head.e_phoff = 64;
    e.head.e_phentsize = 56;
    e.head.e_phnum = 2;
    e.ph[0] = (struct lx_elf_phdr){.p_type = LX_PT_LOAD,
                                   .p_flags = LX_PF_R | LX_PF_X,
                                   .p_vaddr = 0x400000,
                                   .p_filesz = 0x1000,
                                   .p_memsz = 0x1000};
    e.ph[1] = (struct lx_elf_phdr){.p_type = LX_PT_LOAD,
                                   .p_flags = LX_PF_R | LX_PF_W,
                                   .p_offset = 0x1f00,
                                   .p_vaddr = 0x601f00,
                                   .p_filesz = 0x200,
                                   .p_memsz = 0x4000};
    return e;
}

static int verdict(struct elf e)
{
    int error = elf_check_header(&e.head, SIZE);
    return error ? error : elf_check(&e, SIZE);
}

static void refused(void (*spoil)(struct elf *e), int want)
{
    struct elf e = good();
    spoil(&e);
    CHECK(verdict(e) == want);
}

static void not_elf(struct elf *e)
{
    e->head.e_ident[1] = 'F';
}
static void elf32(struct elf *e)
{
    e->head.e_ident[4] = 1;
}
static void machine(struct elf *e)
{
    e->head.e_machine = 3;
}
static void object(struct elf *e)
{
    e->head.e_type = 1;
}
static void no_headers(struct elf *e)
{
    e->head.e_phnum = 0;
}
static void many_headers(struct elf *e)
{
    e->head.e_phnum = 65535;
}
static void headers_outside(struct elf *e)
{
    e->head.e_phoff = SIZE - 56;
}
static void headers_wrap(struct elf *e)
{
    e->head.e_phoff = UINT64_MAX - 8;
}
static void file_over(struct elf *e)
{
    e->ph[1].p_filesz = SIZE;
    e->ph[1].p_memsz = SIZE;
}
static void file_wrap(struct elf *e)
{
    e->ph[1].p_offset = UINT64_MAX - 0xff;
}
static void shrinks(struct elf *e)
{
    e->ph[1].p_memsz = 0x100;
}
static void skewed(struct elf *e)
{
    e->ph[1].p_vaddr += 8;
}
static void overlaps(struct elf *e)
{
    e->ph[1].p_vaddr = 0x400f00;
}
static void descends(struct elf *e)
{
    e->ph[1].p_vaddr = 0x300f00;
}
static void in_our_part(struct elf *e)
{
    e->ph[1].p_vaddr = EXO_LIBOS_BASE + 0xf00;
}
static void wraps(struct elf *e)
{
    e->ph[1].p_memsz = UINT64_MAX - 0x601f00;
}
static void at_null(struct elf *e)
{
    e->ph[0].p_vaddr = 0;
}
static void no_load(struct elf *e)
{
    e->ph[0].p_type = e->ph[1].p_type = 0;
}
static void long_interp(struct elf *e)
{
    e->ph[0].p_type = LX_PT_INTERP;
    e->ph[0].p_filesz = ELF_INTERP + 1;
}

static void test_elf(void)
{
    struct elf e = good();
    CHECK(verdict(e) == 0);
    CHECK(elf_check(&e, SIZE) == 0 && e.low == 0x400000 && e.high == 0x606000 &&
          e.phdr == 0x400040);
    CHECK(elf_wide(&e, 0, 0) && !elf_wide(&e, 1, 0));
    e.ph[1].p_vaddr = 0x501f00; // within the text's 2 MiB
    CHECK(!elf_wide(&e, 0, 0));
    e = good();
    e.ph[0].p_offset = 0x1000; // not congruent
    CHECK(!elf_wide(&e, 0, 0));
    void (*const noexec[])(struct elf *) = {
        not_elf,         elf32,        machine,     object,    no_headers, many_headers,
        headers_outside, headers_wrap, file_over,   file_wrap, shrinks,    skewed,
        overlaps,        descends,     in_our_part, wraps,     no_load,    long_interp};
    for (size_t i = 0; i < sizeof noexec / sizeof noexec[0]; i++)
        refused(noexec[i], -LX_ENOEXEC);
    refused(at_null, -LX_ENOMEM);
    CHECK(elf_check_header(&e.head, 63) == -LX_ENOEXEC);
}

// --- scripts
// -------------------------------------------------------------------------------------------------
static int script(const char *text, size_t n, const char *want_interp, const char *want_arg)
{
    char head[SCRIPT_HEAD + 1], *interp, *arg;
    memcpy(head, text, n);
    int error = script_parse(head, n, &interp, &arg);
    if (error)
        return error;
    CHECK(strcmp(interp, want_interp) == 0);
    CHECK(!arg == !want_arg && (!arg || strcmp(arg, want_arg) == 0));
    return 0;
}
#define SCRIPT(text, i, a) script(text, sizeof(text) - 1, i, a)

static void test_scripts(void)
{
    CHECK(SCRIPT("#!/bin/sh\necho", "/bin/sh", NULL) == 0);
    CHECK(SCRIPT("#! \t/bin/sh -e  x \t\n", "/bin/sh", "-e  x") == 0);
    CHECK(SCRIPT("#!/bin/sh", "/bin/sh", NULL) == 0);
    CHECK(SCRIPT("#!/bin/sh -x", "/bin/sh", "-x") == 0); // no line end in the file
    CHECK(SCRIPT("#!\n/bin/sh", NULL, NULL) == -LX_ENOEXEC);
    CHECK(SCRIPT("#!   ", NULL, NULL) == -LX_ENOEXEC);
    CHECK(SCRIPT("# /bin/sh", NULL, NULL) == -LX_ENOEXEC);
    CHECK(SCRIPT("#", NULL, NULL) == -LX_ENOEXEC);
    char big[SCRIPT_HEAD + 1];
    memset(big, 'a', SCRIPT_HEAD);
    memcpy(big, "#!/", 3);
    CHECK(script(big, SCRIPT_HEAD, NULL, NULL) == -LX_ENOEXEC); // the name may go on
    big[100] = ' ';
    memset(big + 101, 'b', SCRIPT_HEAD - 101);
    char *interp, *arg;
    CHECK(script_parse(big, SCRIPT_HEAD, &interp, &arg) == 0 && strlen(interp) == 98);
}

// --- arguments
// -------------------------------------------------------------------------------------------------
static void test_args(void)
{
    static char
        *array[70 + 32]; // pointers are read several at a time, to the end of the page at most
    for (int i = 0; i < 69; i++)
        array[i] = i % 2 ? "odd" : "even string";
    array[69] = NULL;
    struct args a = {0};
    size_t total = 0;
    CHECK(strings_copy(&a.argv, (uint64_t)array, &total) == 0);
    CHECK(a.argv.count == 69 && a.argv.used == 35 * 12 + 34 * 4 && total == a.argv.used + 69 * 8);
    CHECK(strings_script(&a.argv, "/bin/sh", "-e", "/tmp/s") == 0);
    CHECK(a.argv.count == 71 && strcmp(a.argv.text, "/bin/sh") == 0);
    CHECK(strcmp(strings_find(&a.argv, "/tmp/"), "s") == 0 && !strings_find(&a.argv, "none"));
    args_free(&a);

    array[0] = (char *)1;
    CHECK(strings_copy(&a.argv, (uint64_t)array, &total) == -LX_EFAULT);
    args_free(&a);
    CHECK(strings_copy(&a.argv, 0, &total) == 0 && a.argv.count == 0);
    CHECK(strings_script(&a.argv, "/i", NULL, "/s") == 0 && a.argv.count == 2);
    args_free(&a);

    static char text[ARG_STRING_MAX + 1];
    memset(text, 'x', ARG_STRING_MAX);
    array[0] = text;
    array[1] = NULL;
    CHECK(strings_copy(&a.argv, (uint64_t)array, &total) == -LX_E2BIG);
    args_free(&a);
    text[ARG_STRING_MAX - 1] = 0;
    total = 0;
    for (int i = 0; i < 20; i++)
        array[i] = text;
    array[20] = NULL;
    CHECK(strings_copy(&a.argv, (uint64_t)array, &total) == -LX_E2BIG && total > ARG_TOTAL_MAX);
    args_free(&a);
    array[15] = NULL;
    total = 0;
    CHECK(strings_copy(&a.argv, (uint64_t)array, &total) == 0);
    args_free(&a);
}

int main(void)
{
    test_elf();
    test_scripts();
    test_args();
    return passed();
}
