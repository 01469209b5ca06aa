// SPDX-License-Identifier: MIT
//
// Interrupt lines of the 8259s. A line is bound to one capability slot; when it fires it is masked
// and notifies context 0 of the slot's environment, which serves the device and unmasks it. The
// binding goes with the slot: it counts as the slot's window (CAP_W_EVENT), so deleting or revoking
// the capability unbinds. Line 2 is the cascade. Locking: klock.

#include <core/dispatch.h>
#include <core/log.h>
#include <x86/cpu.h>

#define LINES   16
#define CASCADE 2

static struct line {
    struct cap_slot *slot; // NULL: not bound
    uint64_t bits;
} lines[LINES];

static void line_unbind(uint32_t line)
{
    lines[line] = (struct line){0};
    irq_mask(line, true);
}

void irq_raised(uint32_t line)
{
    if (lines[line].slot)
        env_notify(slot_env(lines[line].slot), lines[line].bits);
}

void irq_slot_gone(struct cap_slot *slot)
{
    for (uint32_t i = 0; i < LINES; i++)
        if (lines[i].slot == slot)
            line_unbind(i);
}

static int line_find(exo_handle_t irq, uint64_t line, struct cap_slot **slot)
{
    uint32_t first, count;

    TRY(cap_find(irq, EXO_CAP_IRQ, EXO_R_BIND, slot));
    cap_range(*slot, &first, &count);
    if (line < first || line - first >= count || line >= LINES || line == CASCADE)
        return -EXO_EINVAL;
    return 0;
}

int64_t sys_irq_bind(exo_handle_t irq, uint64_t line, uint64_t bits)
{
    struct cap_slot *slot;

    TRY(line_find(irq, line, &slot));
    if (lines[line].slot && slot_env(lines[line].slot) != env_current())
        return -EXO_EBUSY;
    line_unbind((uint32_t)line); // its slot stays marked: no harm, its end will find nothing
    if (bits == 0)
        return 0;
    lines[line] = (struct line){.slot = slot, .bits = bits};
    slot->wkind = CAP_W_EVENT;
    irq_mask((uint32_t)line, false);
    return 0;
}

int64_t sys_irq_ack(exo_handle_t irq, uint64_t line)
{
    struct cap_slot *slot;

    TRY(line_find(irq, line, &slot));
    if (!lines[line].slot || slot_env(lines[line].slot) != env_current())
        return -EXO_EINVAL;
    irq_mask((uint32_t)line, false);
    return 0;
}
