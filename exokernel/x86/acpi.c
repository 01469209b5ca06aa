// SPDX-License-Identifier: MIT
//
// Just enough ACPI to switch the machine off: root pointer (multiboot 2 tells it; QEMU starts us by
// multiboot 1, and has ports that need no tables: object/machine.c) -> FADT -> the PM1a control
// port, and the sleep type of S5, which the DSDT holds as the first element of a package named
// _S5_. Tables are the firmware's, so lengths are bounded and anything odd means "unknown". Runs on
// the early map of the first 4 GiB.

#include <string.h>
#include <core/boot.h>

#define TABLE_MAX (1u << 20)
#define EARLY_END (1ull << 32)

static const uint8_t *table_at(uint64_t pa)
{
    return pa && pa < EARLY_END - TABLE_MAX ? phys_to_virt(pa) : NULL;
}

static const uint8_t *table_find(const uint8_t *root, unsigned width, const char *name)
{
    uint32_t length = get32(root + 4);
    uint64_t pa;
    const uint8_t *table;

    for (uint32_t at = 36; length <= TABLE_MAX && at + width <= length; at += width) {
        pa = 0;
        memcpy(&pa, root + at, width);
        table = table_at(pa);
        if (table && !memcmp(table, name, 4))
            return table;
    }
    return NULL;
}

// _S5_ in AML: name, PackageOp 0x12, length, element count, first element.
static void s5_find(const uint8_t *dsdt)
{
    uint32_t length = get32(dsdt + 4);

    for (uint32_t i = 36; length <= TABLE_MAX && i + 12 < length; i++) {
        const uint8_t *p = dsdt + i;

        if (memcmp(p, "_S5_", 4) != 0 || p[4] != 0x12)
            continue;
        p += 5;
        p += (*p >> 6) + 2; // package length, element count
        if (*p == 0x0a)     // byte prefix
            p++;
        boot_info.acpi_s5 = *p & 7;
        return;
    }
}

void acpi_parse(void)
{
    const uint8_t *rsdp = phys_to_virt(boot_info.rsdp);
    const uint8_t *root, *fadt = NULL, *dsdt;
    uint64_t xsdt = 0;

    if (!boot_info.rsdp)
        return;
    if (rsdp[15] >= 2)
        memcpy(&xsdt, rsdp + 24, sizeof(xsdt));
    if (xsdt && (root = table_at(xsdt)))
        fadt = table_find(root, 8, "FACP");
    else if ((root = table_at(get32(rsdp + 16))))
        fadt = table_find(root, 4, "FACP");
    if (!fadt || !(dsdt = table_at(get32(fadt + 40))))
        return;
    boot_info.acpi_pm1a = (uint16_t)get32(fadt + 64);
    s5_find(dsdt);
}
