// SPDX-License-Identifier: MIT
//
// The machine itself: log, power, trace ring. (The self-check is core/check.c.)
//
// Power off tries, in this order, the emulator's exit device (the caller's code becomes its
// status), ACPI's S5 as the firmware described it, and the port QEMU's chipset has without ACPI
// tables. Locking: klock.

#include <core/boot.h>
#include <core/dispatch.h>
#include <core/log.h>
#include <core/trace.h>
#include <x86/cpu.h>

int64_t sys_machine_log(exo_handle_t machine, uaddr_t from, uint64_t length)
{
    static char text[4096];

    TRY(obj_find(machine, EXO_CAP_MACHINE, EXO_R_WRITE, &machine));
    if (length > sizeof(text))
        return -EXO_ELIMIT;
    TRY(copy_from_user(text, from, length));
    log_write(text, length);
    return 0;
}

_Noreturn static void machine_off(uint32_t code)
{
    outl(EXIT_PORT, code);
    if (boot_info.acpi_pm1a)
        outw(boot_info.acpi_pm1a, (uint16_t)(boot_info.acpi_s5 << 10 | 1u << 13));
    outw(0x604, 0x2000);
    log_printf("the machine can be switched off now\n");
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

_Noreturn static void machine_reset(void)
{
    static const uint16_t none[5]; // an IDT without entries: the next exception resets

    __asm__ volatile("lidt %0\n\tint3" : : "m"(none));
    __builtin_unreachable();
}

int64_t sys_machine_power(exo_handle_t machine, uint64_t action, uint64_t code)
{
    TRY(obj_find(machine, EXO_CAP_MACHINE, EXO_R_CONTROL, &machine));
    if (action == EXO_POWER_OFF)
        machine_off((uint32_t)code);
    if (action == EXO_POWER_RESET)
        machine_reset();
    return -EXO_EINVAL;
}

int64_t sys_machine_trace(exo_handle_t machine, uaddr_t buffer, uint64_t length, uaddr_t cursor)
{
    struct exo_trace record;
    uint64_t at, copied = 0;

    TRY(obj_find(machine, EXO_CAP_MACHINE, EXO_R_READ, &machine));
    TRY(copy_from_user(&at, cursor, sizeof(at)));
    while (length - copied * sizeof(record) >= sizeof(record) && trace_get(&at, &record)) {
        TRY(copy_to_user(buffer + copied * sizeof(record), &record, sizeof(record)));
        copied++;
    }
    TRY(copy_to_user(cursor, &at, sizeof(at)));
    return (int64_t)copied;
}
