/*
 * The machine's time, from the CLINT (SiFive) or the ACLINT's MTIMER device: mtime
 * counts up, and the timer interrupt is pending while mtime >= mtimecmp (Privileged
 * manual 3.2.1). Interrupts stay disabled in mstatus: WFI wakes by mie alone (3.3.3).
 */
#include "base/clock.h"

#include <stddef.h>

#include "base/boot.h"
#include "base/dtb.h"
#include "base/io.h"

#define MIE_MTIE (UINT64_C(1) << 7)

static uintptr_t mtime, mtimecmp;
static uint64_t frequency, sleeps, armed;

void clock_init(uint64_t hart)
{
    uint64_t base, size;
    int node = dtb_compatible(-1, "riscv,clint0");
    int cpus = dtb_find("cpus");

    if (node < 0)
        node = dtb_compatible(-1, "sifive,clint0");
    if (node >= 0 && dtb_reg(node, 0, &base, &size)) {
        mtime = base + 0xbff8;
        mtimecmp = base + 0x4000 + 8 * hart;
    } else {
        node = dtb_compatible(-1, "riscv,aclint-mtimer");
        if (node < 0 || !dtb_reg(node, 0, &base, &size))
            panic("the device tree names no timer");
        mtime = base;
        if (!dtb_reg(node, 1, &base, &size))
            panic("the timer has no compare registers");
        mtimecmp = base + 8 * hart;
    }
    frequency = cpus < 0 ? 0 : dtb_cell(cpus, "timebase-frequency", 0, 0);
    if (frequency == 0)
        panic("the device tree gives no timebase-frequency");
    io_write64(mtimecmp, CLOCK_NEVER);
    armed = CLOCK_NEVER;
    __asm__ volatile("csrs mie, %0" ::"r"(MIE_MTIE));
}

uint64_t clock_ns(void)
{
    uint64_t ticks = io_read64(mtime);

    return ticks / frequency * NS_PER_S + ticks % frequency * NS_PER_S / frequency;
}

/* Rounded up, so that the deadline has come when the alarm rings. */
static uint64_t ns_to_ticks(uint64_t ns)
{
    if (ns == CLOCK_NEVER)
        return CLOCK_NEVER;
    return ns / NS_PER_S * frequency + (ns % NS_PER_S * frequency + NS_PER_S - 1) / NS_PER_S;
}

void clock_sleep(uint64_t deadline_ns)
{
    uint64_t ticks = ns_to_ticks(deadline_ns);

    if (ticks != armed) {
        io_write64(mtimecmp, ticks);
        armed = ticks;
        io_fence();
    }
    sleeps++;
    __asm__ volatile("wfi" ::: "memory");
}

uint64_t clock_sleeps(void)
{
    return sleeps;
}
