// SPDX-License-Identifier: MIT
//
// The boot loader's information, multiboot 1 or 2, into struct boot_info. Everything is reached
// through the early direct map of the first 4 GiB; what lies above is of no use to a boot loader.
// Memory below 1 MiB is left to the firmware.
//
// Module strings: GRUB passes what follows the file's name, QEMU, by multiboot 1, the name too.

#include <string.h>
#include <core/boot.h>
#include <core/log.h>

#define MB1_MAGIC 0x2badb002
#define MB2_MAGIC 0x36d76289
#define LOW_END   0x100000ull

struct boot_info boot_info;

static void text_copy(char *to, size_t room, const char *from)
{
    size_t i;

    for (i = 0; i + 1 < room && from[i]; i++)
        to[i] = from[i];
    to[i] = '\0';
}

static void add_range(uint64_t start, uint64_t bytes, uint32_t type)
{
    uint64_t end = (start + bytes) & ~(EXO_PAGE_SIZE - 1);

    start = (start + EXO_PAGE_SIZE - 1) & ~(EXO_PAGE_SIZE - 1);
    if (start < LOW_END)
        start = LOW_END;
    if (type != 1 || end <= start || boot_info.nram == BOOT_RANGES)
        return;
    boot_info.ram[boot_info.nram++] = (struct mem_range){start, end};
}

static void add_module(paddr_t start, paddr_t end, const char *words)
{
    struct boot_module *module = &boot_info.module[boot_info.nmodules];

    if (boot_info.nmodules == EXO_BOOT_MODULES)
        panic("more than %u modules", EXO_BOOT_MODULES);
    if (start % EXO_PAGE_SIZE)
        panic("module %s is not page-aligned", words);
    boot_info.nmodules++;
    module->start = start;
    module->end = end;
    text_copy(module->words, sizeof(module->words), words);
}

static void add_screen(uint64_t address, const uint8_t *at, const uint8_t *colors)
{
    struct exo_boot_screen *screen = &boot_info.screen;
    uint8_t type = at[13];

    if (type != 1 && type != 2)
        return;
    screen->kind = type == 2 ? 1 : 2;
    screen->address = address;
    screen->pitch = get32(at);
    screen->width = get32(at + 4);
    screen->height = get32(at + 8);
    screen->bpp = at[12];
    if (type != 1)
        return;
    screen->red_pos = colors[0], screen->red_size = colors[1];
    screen->green_pos = colors[2], screen->green_size = colors[3];
    screen->blue_pos = colors[4], screen->blue_size = colors[5];
}

static void parse1(const uint8_t *info)
{
    uint32_t flags = get32(info);
    const uint8_t *p;
    const char *words;

    if (!(flags & 1u << 6))
        panic("the boot loader gave no memory map");
    if (flags & 1u << 2)
        text_copy(boot_info.cmdline, sizeof(boot_info.cmdline), phys_to_virt(get32(info + 16)));
    for (uint32_t at = 0; at < get32(info + 44); at += get32(p) + 4) {
        p = (const uint8_t *)phys_to_virt(get32(info + 48)) + at;
        add_range(get64(p + 4), get64(p + 12), get32(p + 20));
    }
    for (uint32_t i = 0; flags & 1u << 3 && i < get32(info + 20); i++) {
        p = (const uint8_t *)phys_to_virt(get32(info + 24)) + i * 16ul;
        words = phys_to_virt(get32(p + 8));
        while (*words && *words++ != ' ')
            ;
        add_module(get32(p), get32(p + 4), words);
    }
    // A PC that was started by its BIOS is in text mode.
    boot_info.screen = (struct exo_boot_screen){
        .kind = 1, .width = 80, .height = 25, .pitch = 160, .bpp = 16, .address = 0xb8000};
}

static void parse2_tag(uint32_t type, const uint8_t *tag, uint32_t size)
{
    switch (type) {
    case 1:
        text_copy(boot_info.cmdline, sizeof(boot_info.cmdline), (const char *)tag + 8);
        break;
    case 3:
        add_module(get32(tag + 8), get32(tag + 12), (const char *)tag + 16);
        break;
    case 6:
        for (uint32_t at = 16; at + get32(tag + 8) <= size; at += get32(tag + 8))
            add_range(get64(tag + at), get64(tag + at + 8), get32(tag + at + 16));
        break;
    case 8:
        add_screen(get64(tag + 8), tag + 16, tag + 32);
        break;
    case 14:
    case 15:
        boot_info.rsdp = virt_to_phys(tag + 8);
        break;
    }
}

static void parse2(const uint8_t *info)
{
    uint32_t total = get32(info), size;

    for (uint32_t at = 8; at + 8 <= total; at += (size + 7) & ~7u) {
        size = get32(info + at + 4);
        if (get32(info + at) == 0 || size < 8)
            break;
        parse2_tag(get32(info + at), info + at, size);
    }
}

void multiboot_parse(uint32_t magic, paddr_t info)
{
    if (magic == MB1_MAGIC)
        parse1(phys_to_virt(info));
    else if (magic == MB2_MAGIC)
        parse2(phys_to_virt(info));
    else
        panic("not started by a multiboot loader (%x)", magic);
}

const char *boot_word(const char *words, const char *name)
{
    size_t length = strlen(name);

    while (*words) {
        if (!memcmp(words, name, length) &&
            (words[length] == '=' || words[length] == ' ' || !words[length]))
            return words[length] == '=' ? words + length + 1 : words + length;
        while (*words && *words != ' ')
            words++;
        while (*words == ' ')
            words++;
    }
    return NULL;
}
