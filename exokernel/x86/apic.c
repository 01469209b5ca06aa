// SPDX-License-Identifier: MIT
//
// Interrupt controllers and time.
//
// The two 8259s carry the legacy lines (vectors 0x20..0x2f) through the local APIC's LINT0, on
// every firmware; the APIC itself gives each CPU its one-shot timer. A device line is masked when
// it fires and unmasked by whoever owns it.
//
// Time is the TSC, its rate and the APIC's measured against the PIT once; the factors are published
// in struct exo_info, so that user code reads the same clock. Wall time is read from the RTC once
// at boot.

#include <core/log.h>
#include <x86/cpu.h>

#define MSR_APIC_BASE 0x1b
#define APIC_X2       0x400u
#define APIC_ENABLE   0x800u

#define APIC_EOI       (0x0b0 / 4)
#define APIC_SPURIOUS  (0x0f0 / 4)
#define APIC_LVT_TIMER (0x320 / 4)
#define APIC_LINT0     (0x350 / 4)
#define APIC_LINT1     (0x360 / 4)
#define APIC_INITIAL   (0x380 / 4)
#define APIC_CURRENT   (0x390 / 4)
#define APIC_DIVIDE    (0x3e0 / 4)

#define PIC1            0x20
#define PIC2            0xa0
#define CASCADE         2 // the line of the first that the second is at
#define PIT_HZ          1193182u
#define CALIBRATE_TICKS (PIT_HZ / 100) // 10 ms, of the 55 that the PIT can count

static volatile uint32_t *apic;
static uint64_t apic_mult; // APIC ticks per ns, << 32
static uint16_t pic_masks = 0xffff;

void apic_eoi(void)
{
    apic[APIC_EOI] = 0;
}

void irq_mask(uint32_t line, bool masked)
{
    uint16_t bit = (uint16_t)(1u << line);

    pic_masks = masked ? pic_masks | bit : (uint16_t)(pic_masks & ~bit);
    outb(PIC1 + 1, (uint8_t)pic_masks);
    outb(PIC2 + 1, (uint8_t)(pic_masks >> 8));
}

static void pic_init(void)
{
    static const uint8_t words[4][2] = {
        {0x11, 0x11}, {VECTOR_IRQ, VECTOR_IRQ + 8}, {1 << CASCADE, CASCADE}, {1, 1}};

    for (unsigned i = 0; i < 4; i++) {
        outb(PIC1 + (i > 0), words[i][0]);
        outb(PIC2 + (i > 0), words[i][1]);
    }
    irq_mask(CASCADE, false);
}

// Masks and acknowledges; false when it was spurious (lines 7 and 15 can be).
bool pic_accept(uint32_t line)
{
    uint16_t port = line < 8 ? PIC1 : PIC2;

    outb(port, 0x0b); // next read: in service
    if (!(inb(port) & 1u << (line & 7))) {
        if (line >= 8)
            outb(PIC1, 0x20);
        return false;
    }
    irq_mask(line, true);
    if (line >= 8)
        outb(PIC2, 0x20);
    outb(PIC1, 0x20);
    return true;
}

// The PIT's channel 2 counts down from ffff; both other counters are read beside it. Of several
// tries the one counts that was disturbed least (an emulator's host, a system-management
// interrupt).
struct sample {
    uint64_t tsc, apic, pit, width;
};

static struct sample sample_take(void)
{
    struct sample best = {.width = UINT64_MAX};

    for (unsigned i = 0; i < 10; i++) {
        struct sample s = {.tsc = rdtsc()};

        outb(0x43, 0x80); // latch
        s.apic = apic[APIC_CURRENT];
        s.width = rdtsc() - s.tsc;
        s.tsc += s.width / 2;
        s.pit = inb(0x42);
        s.pit |= (uint64_t)inb(0x42) << 8;
        if (s.width < best.width)
            best = s;
    }
    return best;
}

static void calibrate(uint64_t *tsc_hz, uint64_t *apic_hz)
{
    struct sample from, to;

    outb(0x61, (inb(0x61) & ~2u) | 1);
    do {
        outb(0x43, 0xb0); // channel 2, low and high byte, mode 0
        outb(0x42, 0xff);
        outb(0x42, 0xff);
        apic[APIC_INITIAL] = 0xffffffff;
        from = sample_take();
        do
            to = sample_take();
        while (from.pit - to.pit < CALIBRATE_TICKS);
    } while (inb(0x61) & 0x20); // it ran out, since an emulator's host was busy elsewhere
    apic[APIC_INITIAL] = 0;
    *tsc_hz = (to.tsc - from.tsc) * PIT_HZ / (from.pit - to.pit);
    *apic_hz = (from.apic - to.apic) * PIT_HZ / (from.pit - to.pit);
}

static uint8_t rtc_read(uint8_t reg)
{
    outb(0x70, reg);
    return inb(0x71);
}

// Seconds since 1970 UTC, of the years 2000 to 2099 the clock can tell. Once no update is under way
// there are 244 us to read.
static int64_t rtc_seconds(void)
{
    static const uint8_t regs[6] = {0, 2, 4, 7, 8, 9};
    uint8_t now[6], mode;
    int64_t month, year, days;

    while (rtc_read(10) & 0x80)
        __asm__ volatile("pause");
    for (unsigned i = 0; i < 6; i++)
        now[i] = rtc_read(regs[i]);
    mode = rtc_read(11);
    for (unsigned i = 0; i < 6; i++) {
        bool pm = i == 2 && now[i] & 0x80;

        if (i == 2)
            now[i] &= 0x7f;
        if (!(mode & 4))
            now[i] = (uint8_t)((now[i] >> 4) * 10 + (now[i] & 15));
        if (i == 2 && !(mode & 2))
            now[i] = (uint8_t)(now[i] % 12 + (pm ? 12 : 0));
    }
    // Years begin in March here, so that the odd day is their last.
    month = (now[4] + 9) % 12;
    year = 2000 + now[5] - (month > 9);
    days = year * 365 + year / 4 - 15 + (153 * month + 2) / 5 + now[3] - 719469;
    return days * 86400 + now[2] * 3600l + now[1] * 60l + now[0];
}

void clock_init(void)
{
    uint64_t tsc_hz, apic_hz, base = rdmsr(MSR_APIC_BASE);

    if (base & APIC_X2) { // left on by the firmware: the way back leads through off
        wrmsr(MSR_APIC_BASE, base & ~(uint64_t)(APIC_ENABLE | APIC_X2));
        wrmsr(MSR_APIC_BASE, (base & ~(uint64_t)APIC_X2) | APIC_ENABLE);
    }
    apic = phys_to_virt(base & 0xfffff000); // where the direct map is uncached
    pic_init();
    apic[APIC_SPURIOUS] = 0x100 | VECTOR_SPURIOUS;
    apic[APIC_LINT0] = 0x700; // the 8259s
    apic[APIC_LINT1] = 0x400; // NMI
    apic[APIC_DIVIDE] = 0xb;  // by 1
    apic[APIC_LVT_TIMER] = VECTOR_TIMER;
    calibrate(&tsc_hz, &apic_hz);
    kassert(tsc_hz && apic_hz);
    apic_mult = (apic_hz << 32) / 1000000000ull;
    info_page->tsc_shift = 32;
    info_page->tsc_mult = (1000000000ull << 32) / tsc_hz;
    info_page->tsc_base = rdtsc();
    info_page->tsc_hz = tsc_hz;
    info_page->wall_ns = rtc_seconds() * 1000000000ll - (int64_t)clock_ns();
    log_printf("clock: TSC %lu kHz, APIC timer %lu kHz\n", tsc_hz / 1000, apic_hz / 1000);
}

uint64_t clock_ns(void)
{
    unsigned __int128 ticks = rdtsc() - info_page->tsc_base;

    return (uint64_t)(ticks * info_page->tsc_mult >> 32);
}

void timer_set(uint64_t ns)
{
    struct cpu *cpu = this_cpu();
    uint64_t now = clock_ns(), ticks;

    cpu->timer_at = ns;
    ns = ns > now ? ns - now : 1;
    if (ns > 1000000000) // looks again in a second
        ns = 1000000000, cpu->timer_at = now + ns;
    ticks = (uint64_t)((unsigned __int128)ns * apic_mult >> 32) + 1;
    apic[APIC_INITIAL] = ticks > 0xffffffff ? 0xffffffff : (uint32_t)ticks;
}
