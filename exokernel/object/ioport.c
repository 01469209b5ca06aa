// SPDX-License-Identifier: MIT
//
// I/O ports: single accesses and strings on an 8-bit port, within the range of the capability.
// Locking: klock (a string passes through one buffer).

#include <core/dispatch.h>
#include <x86/cpu.h>

static int ports_find(exo_handle_t ports, uint64_t port, unsigned width, bool write)
{
    struct cap_slot *slot;
    uint32_t first, count;

    TRY(cap_find(ports, EXO_CAP_IOPORT, write ? EXO_R_WRITE : EXO_R_READ, &slot));
    cap_range(slot, &first, &count);
    if (port < first || port > UINT16_MAX || port - first + width > count)
        return -EXO_EINVAL;
    return 0;
}

static int64_t port_read(uint16_t port, unsigned width)
{
    return width == 1 ? inb(port) : width == 2 ? inw(port) : inl(port);
}

static int64_t port_write(uint16_t port, unsigned width, uint64_t value)
{
    if (width == 1)
        outb(port, (uint8_t)value);
    else if (width == 2)
        outw(port, (uint16_t)value);
    else
        outl(port, (uint32_t)value);
    return 0;
}

int64_t sys_port_io(exo_handle_t ports, uint64_t port, uint64_t width_write, uint64_t value)
{
    bool write = width_write & EXO_PORT_WRITE;
    uint64_t width = width_write & ~(uint64_t)EXO_PORT_WRITE;

    if (width != 1 && width != 2 && width != 4)
        return -EXO_EINVAL;
    TRY(ports_find(ports, port, (unsigned)width, write));
    return write ? port_write((uint16_t)port, (unsigned)width, value)
                 : port_read((uint16_t)port, (unsigned)width);
}

int64_t sys_port_string(exo_handle_t ports, uint64_t port, uaddr_t buffer, uint64_t length,
                        uint64_t write)
{
    static uint8_t bytes[4096];

    TRY(ports_find(ports, port, 1, write != 0));
    if (length > sizeof(bytes))
        return -EXO_ELIMIT;
    if (copy_from_user(bytes, buffer, length) || (!write && copy_to_user(buffer, bytes, length)))
        return -EXO_EFAULT; // before the port gives what could not be put back
    for (uint64_t i = 0; i < length; i++) {
        if (write)
            outb((uint16_t)port, bytes[i]);
        else
            bytes[i] = inb((uint16_t)port);
    }
    return !write && copy_to_user(buffer, bytes, length) ? -EXO_EFAULT : (int64_t)length;
}
