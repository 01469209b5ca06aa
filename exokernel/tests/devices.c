// SPDX-License-Identifier: MIT
// Raw devices: ports in range, interrupts bound, masked until acknowledged, unbound with the
// capability; PCI configuration with its guarded parts; a BAR as frames.
#include "test.h"

#define CMOS      0x70
#define RTC_LINE  8
#define PCI_CLASS 8

static uint8_t cmos(uint8_t reg)
{
    exo_port_io(boot->ioport, CMOS, 1 | EXO_PORT_WRITE, reg);
    return (uint8_t)exo_port_io(boot->ioport, CMOS + 1, 1, 0);
}

static void cmos_set(uint8_t reg, uint8_t value)
{
    exo_port_io(boot->ioport, CMOS, 1 | EXO_PORT_WRITE, reg);
    exo_port_io(boot->ioport, CMOS + 1, 1 | EXO_PORT_WRITE, value);
}

static void ports(void)
{
    int64_t some = exo_cap_derive(boot->ioport, RW, 0, EXO_DERIVE_RANGE, 0x70ull << 32 | 2);

    ok(some > 0);
    is(exo_port_io((exo_handle_t)some, 0x70, 1 | EXO_PORT_WRITE, 0), 0);
    ok(exo_port_io((exo_handle_t)some, 0x71, 1, 0) >= 0);
    is(exo_port_io((exo_handle_t)some, 0x72, 1, 0), -EXO_EINVAL);
    is(exo_port_io((exo_handle_t)some, 0x6f, 1, 0), -EXO_EINVAL);
    is(exo_port_io((exo_handle_t)some, 0x71, 2, 0), -EXO_EINVAL);
    is(exo_port_io((exo_handle_t)some, 1ull << 32 | 0x71, 1, 0), -EXO_EINVAL);
    is(exo_port_io((exo_handle_t)some, 0x70, 3, 0), -EXO_EINVAL);
    is(exo_port_io(boot->ioport, 0xffff, 4, 0), -EXO_EINVAL);
    is(exo_port_string((exo_handle_t)some, 0x71, "x", 4097, 1), -EXO_ELIMIT);
    is(exo_cap_delete((exo_handle_t)some), 0);
}

static int64_t next_interrupt(void)
{
    int64_t err;

    cmos(0x0c); // the RTC asks again only when its cause was read
    err = exo_wait(0, 0, now() + 300000000);
    return err == -EXO_EINTR ? (int64_t)__atomic_exchange_n(&CTX->pending, 0, __ATOMIC_SEQ_CST)
                             : err;
}

static void interrupts(void)
{
    int64_t line =
        exo_cap_derive(boot->irq, EXO_R_BIND, 0, EXO_DERIVE_RANGE, (uint64_t)RTC_LINE << 32 | 1);
    uint8_t b = cmos(0x0b);

    ok(line > 0);
    is(exo_irq_bind((exo_handle_t)line, 7, 1), -EXO_EINVAL);
    is(exo_irq_bind(boot->irq, 2, 1), -EXO_EINVAL);
    is(exo_irq_bind(boot->irq, 16, 1), -EXO_EINVAL);
    is(exo_irq_ack((exo_handle_t)line, RTC_LINE), -EXO_EINVAL); // not bound
    is(exo_irq_bind((exo_handle_t)line, RTC_LINE, 0x40), 0);
    cmos_set(0x0b, b | 0x40); // periodic, 1024 Hz
    is(next_interrupt(), 0x40);
    is(next_interrupt(), -EXO_ETIMEDOUT); // masked
    is(exo_irq_ack((exo_handle_t)line, RTC_LINE), 0);
    is(next_interrupt(), 0x40);
    is(exo_irq_bind((exo_handle_t)line, RTC_LINE, 0x80), 0); // again, with other bits, and unmasked
    is(next_interrupt(), 0x80);
    is(exo_cap_delete((exo_handle_t)line), 0);
    is(exo_irq_ack(boot->irq, RTC_LINE), -EXO_EINVAL);
    is(next_interrupt(), -EXO_ETIMEDOUT);
    cmos_set(0x0b, b);
    cmos(0x0c);
    CTX->pending = 0;
}

static void functions(void)
{
    exo_handle_t vga = 0;
    int64_t weak, bar;

    ok(boot->ndevices > 0);
    for (unsigned i = 0; i < boot->ndevices; i++)
        if (exo_device_config(boot->device[i], PCI_CLASS + 3, 1, 0) == 3)
            vga = boot->device[i];
    ok(vga != 0);
    is(exo_device_config(vga, 256, 4, 0), -EXO_EINVAL);
    is(exo_device_config(vga, 1, 4, 0), -EXO_EINVAL);
    is(exo_device_config(vga, 0, 3, 0), -EXO_EINVAL);
    is(exo_device_config(vga, 0, 2, 0), 0x1234);
    is(exo_device_config(vga, 2, 2, 0), 0x1111);
    weak = exo_cap_copy(vga, RW, 0, 0);
    is(exo_device_config((exo_handle_t)weak, 0x10, 4 | EXO_PORT_WRITE, 0), -EXO_ERIGHTS);
    is(exo_device_config((exo_handle_t)weak, 0x0e, 4 | EXO_PORT_WRITE, 0), -EXO_EINVAL);
    is(exo_device_config((exo_handle_t)weak, 4, 2 | EXO_PORT_WRITE, 7), -EXO_ERIGHTS);
    is(exo_device_config((exo_handle_t)weak, 4, 4 | EXO_PORT_WRITE, 7), -EXO_ERIGHTS);
    is(exo_device_config((exo_handle_t)weak, 0x3c, 1 | EXO_PORT_WRITE, 0), 0);
    is(exo_device_config((exo_handle_t)weak, 0x40, 4 | EXO_PORT_WRITE, 0), -EXO_ERIGHTS);
    is(exo_device_config((exo_handle_t)weak, 0x30, 4 | EXO_PORT_WRITE, 0), -EXO_ERIGHTS);
    is(exo_device_bar((exo_handle_t)weak, 0, boot->bank), -EXO_ERIGHTS);
    is(exo_device_bar(vga, 5, boot->bank), -EXO_ENOENT);
    is(exo_device_bar(vga, 99, boot->bank), -EXO_ENOENT);
    bar = exo_device_bar(vga, 0, boot->bank);
    ok(bar > 0);
    is(map(0, (exo_handle_t)bar, 0x50000000, 0, 1, RW), 1);
    *(volatile uint32_t *)0x50000000 = 0x12345678;
    is(*(volatile uint32_t *)0x50000000, 0x12345678);
    is(exo_cap_delete((exo_handle_t)bar), 0); // with its mapping
    is(buy(0x50000000, 1, RW), 1);
    is(unmap(0x50000000, 1), 1);
    is(exo_cap_delete((exo_handle_t)weak), 0);
}

void test_main(void)
{
    ports();
    interrupts();
    functions();
}
