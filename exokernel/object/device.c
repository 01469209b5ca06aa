// SPDX-License-Identifier: MIT
//
// PCI functions, found once at boot by configuration mechanism 1 and handed out raw.
//
// What could reach memory of others needs CONTROL: BARs, the bus-master bit, the expansion ROM, and
// everything from 0x40 on (message-signalled interrupts are memory writes); of bridges every write.
// A BAR becomes FRAMES only where the firmware put it, and only if no RAM is there. Sizes are taken
// at boot, before any driver runs. Locking: klock.

#include <core/dispatch.h>
#include <object/bank.h>
#include <x86/cpu.h>

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc

#define REG_COMMAND    0x04
#define REG_HEADER     0x0c
#define REG_BAR0       0x10
#define COMMAND_MASTER 4u

struct device {
    struct kobj obj;
    uint32_t bdf; // bus << 8 | device << 3 | function
    bool bridge;
    struct {
        uint64_t base, size; // size 0: no memory BAR
    } bar[6];
};

static uint32_t config_read(uint32_t bdf, uint32_t offset)
{
    outl(PCI_ADDRESS, 0x80000000 | bdf << 8 | (offset & 0xfc));
    return inl(PCI_DATA);
}

static void config_write(uint32_t bdf, uint32_t offset, uint32_t value)
{
    outl(PCI_ADDRESS, 0x80000000 | bdf << 8 | (offset & 0xfc));
    outl(PCI_DATA, value);
}

static uint64_t bar_probe(uint32_t bdf, uint32_t reg)
{
    uint32_t old = config_read(bdf, reg), mask;

    config_write(bdf, reg, 0xffffffff);
    mask = config_read(bdf, reg);
    config_write(bdf, reg, old);
    return (uint64_t)mask << 32 | old;
}

// Returns how many registers the BAR takes.
static unsigned bar_size(struct device *dev, unsigned i)
{
    uint32_t reg = REG_BAR0 + i * 4;
    uint64_t low = bar_probe(dev->bdf, reg), high = 0;
    uint64_t mask, base = (uint32_t)low & ~15u;
    bool wide = ((uint32_t)low & 7) == 4 && i < 5;

    if ((uint32_t)low & 1 || !(low >> 32))
        return 1;
    if (wide)
        high = bar_probe(dev->bdf, reg + 4);
    mask = (low >> 32 & ~15ull) | (wide ? high & 0xffffffff00000000 : 0xffffffff00000000);
    base |= wide ? high << 32 : 0;
    dev->bar[i].base = base;
    dev->bar[i].size = -mask;
    return wide ? 2 : 1;
}

static void bars_find(struct device *dev)
{
    uint32_t command = config_read(dev->bdf, REG_COMMAND);

    config_write(dev->bdf, REG_COMMAND, command & ~3u); // no decoding of addresses meanwhile
    for (unsigned i = 0; i < 6;)
        i += bar_size(dev, i);
    config_write(dev->bdf, REG_COMMAND, command);
}

static struct kobj *device_new(struct bank *bank, uint32_t bdf, bool bridge)
{
    struct device *dev;

    if (kobj_alloc(bank, EXO_CAP_DEVICE, sizeof(*dev), &dev))
        return NULL;
    dev->bdf = bdf;
    dev->bridge = bridge;
    if (!bridge)
        bars_find(dev);
    return &dev->obj;
}

unsigned device_scan(struct bank *bank, struct kobj **objs, unsigned max)
{
    unsigned found = 0;

    for (uint32_t bdf = 0; bdf < 0x10000 && found < max; bdf++) {
        uint32_t header = config_read(bdf, REG_HEADER) >> 16 & 0xff;
        bool there = (config_read(bdf, 0) & 0xffff) != 0xffff;

        if (there && (objs[found] = device_new(bank, bdf, (header & 0x7f) != 0)))
            found++;
        if ((bdf & 7) == 0 && (!there || !(header & 0x80))) // no further functions
            bdf += 7;
    }
    return found;
}

uint32_t device_bdf(const struct kobj *obj)
{
    return ((const struct device *)obj)->bdf;
}

// --- the calls -----------------------------------------------------------------------------------

// Whether writing `width` bytes at offset takes CONTROL.
static bool write_guarded(const struct device *dev, uint32_t offset, uint32_t width, uint32_t value)
{
    uint32_t end = offset + width;

    if (dev->bridge || end > 0x40 || (offset < 0x28 && end > REG_BAR0) ||
        (offset < 0x34 && end > 0x30))
        return true;
    return offset == REG_COMMAND && value & COMMAND_MASTER;
}

int64_t sys_device_config(exo_handle_t handle, uint64_t offset, uint64_t width_write,
                          uint64_t value)
{
    bool write = width_write & EXO_PORT_WRITE;
    uint64_t width = width_write & ~(uint64_t)EXO_PORT_WRITE;
    struct cap_slot *slot;
    struct device *dev;
    uint32_t old, shift = (offset & 3) * 8, mask;

    TRY(cap_find(handle, EXO_CAP_DEVICE, write ? EXO_R_WRITE : EXO_R_READ, &slot));
    if ((width != 1 && width != 2 && width != 4) || offset >= 256 || offset % width)
        return -EXO_EINVAL;
    dev = (struct device *)slot->obj;
    if (write && write_guarded(dev, (uint32_t)offset, (uint32_t)width, (uint32_t)value) &&
        !(slot->rights & EXO_R_CONTROL))
        return -EXO_ERIGHTS;
    mask = width == 4 ? 0xffffffff : (1u << width * 8) - 1;
    old = config_read(dev->bdf, (uint32_t)offset);
    if (!write)
        return old >> shift & mask;
    if ((offset & 0xfc) == REG_COMMAND) // the status half is cleared by writing ones
        old &= 0xffff;
    config_write(dev->bdf, (uint32_t)offset,
                 (old & ~(mask << shift)) | ((uint32_t)value & mask) << shift);
    return 0;
}

static bool no_ram(exo_fn_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (frame_info(first + i))
            return false;
    return true;
}

int64_t sys_device_bar(exo_handle_t handle, uint64_t bar, exo_handle_t bank)
{
    struct bank *pays;
    struct device *dev;
    struct kobj *frames;
    exo_fn_t first;
    uint64_t count;

    TRY(obj_find(handle, EXO_CAP_DEVICE, EXO_R_CONTROL, &dev));
    TRY(bank_find(bank, EXO_R_BUY, &pays));
    if (bar >= 6 || !dev->bar[bar].size || !dev->bar[bar].base)
        return -EXO_ENOENT;
    if ((config_read(dev->bdf, REG_BAR0 + (uint32_t)bar * 4) & ~15u) !=
        (uint32_t)dev->bar[bar].base)
        return -EXO_EBUSY; // somebody moved it
    first = dev->bar[bar].base >> EXO_PAGE_SHIFT;
    count = (dev->bar[bar].size + EXO_PAGE_SIZE - 1) >> EXO_PAGE_SHIFT;
    if (!no_ram(first, count))
        return -EXO_EBUSY;
    TRY(frames_adopt(pays, first, count, &frames));
    return cap_name_new(env_current(), frames, EXO_R_READ | EXO_R_WRITE | EXO_R_REVOKE, 0);
}
