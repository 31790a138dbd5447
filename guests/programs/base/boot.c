/* Brings up the board and hands over to the program; stops the machine at the end. */
#include "base/boot.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/dtb.h"
#include "base/io.h"
#include "base/memory.h"
#include "base/plic.h"
#include "base/uart.h"

static void hart_sleep(void) __attribute__((noreturn));

static void hart_sleep(void)
{
    __asm__ volatile("csrw mie, zero");
    for (;;)
        __asm__ volatile("wfi");
}

void boot(uint64_t hart, const void *tree)
{
    if (!dtb_init(tree))
        hart_sleep(); /* nothing is known, not even where a console is */
    uart_init();
    memory_init();
    clock_init(hart);
    plic_init(hart);
    uart_listen();
    program_main();
}

/* A syscon node names a register of another node, and what to store there (Devicetree
   binding power/reset/syscon-poweroff.yaml and syscon-reboot.yaml). */
static void syscon_store(const char *compatible)
{
    int node = dtb_compatible(-1, compatible);
    int target = node < 0 ? -1 : dtb_phandle(dtb_cell(node, "regmap", 0, 0));
    uint64_t base, size;

    if (target >= 0 && dtb_reg(target, 0, &base, &size))
        io_write32(base + dtb_cell(node, "offset", 0, 0), dtb_cell(node, "value", 0, 0));
    io_fence();
}

void machine_poweroff(void)
{
    syscon_store("syscon-poweroff");
    hart_sleep();
}

void machine_reboot(void)
{
    syscon_store("syscon-reboot");
    hart_sleep();
}

void panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("\npanic: ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
    hart_sleep();
}

void trap_report(uint64_t cause, uint64_t pc, uint64_t value)
{
    panic("trap %lu at 0x%lx, value 0x%lx", (unsigned long)cause, (unsigned long)pc,
          (unsigned long)value);
}

const char *boot_arguments(void)
{
    size_t len;
    int chosen = dtb_find("chosen");
    const char *args = chosen < 0 ? NULL : dtb_property(chosen, "bootargs", &len);

    return args && len > 0 && args[len - 1] == '\0' ? args : "";
}
