/*
 * The platform-level interrupt controller (RISC-V PLIC specification 1.0, memory map),
 * in the context that is this hart's machine mode: sources are claimed in a loop when
 * the program is ready for them, never in a trap.
 */
#include "base/plic.h"

#include "base/boot.h"
#include "base/dtb.h"
#include "base/io.h"

#define PRIORITY 0x0
#define ENABLE 0x2000
#define ENABLE_STRIDE 0x80
#define CONTEXT 0x200000
#define CONTEXT_STRIDE 0x1000
#define THRESHOLD 0x0
#define CLAIM 0x4
#define MIE_MEIE (UINT64_C(1) << 11)

enum { HANDLERS = 72, MACHINE_EXTERNAL = 11 };

static uintptr_t enable, context, priority;
static struct {
    uint32_t source;
    void (*handler)(void *);
    void *arg;
} handlers[HANDLERS];
static unsigned handler_count;

/* The phandle of the interrupt controller inside the cpu node of this hart: the first
   cpu-intc node behind it in the tree. */
static uint32_t hart_controller(uint64_t hart)
{
    uint64_t id, size;
    bool mine = false;
    int n;

    for (n = dtb_first(); n >= 0; n = dtb_next(n)) {
        if (dtb_string_is(n, "device_type", "cpu"))
            mine = dtb_reg(n, 0, &id, &size) && id == hart;
        else if (mine && dtb_string_is(n, "compatible", "riscv,cpu-intc"))
            return dtb_cell(n, "phandle", 0, 0);
    }
    return 0;
}

void plic_init(uint64_t hart)
{
    uint64_t base, size;
    uint32_t mine = hart_controller(hart);
    int node = dtb_compatible(-1, "riscv,plic0");
    unsigned i;

    if (node < 0)
        node = dtb_compatible(-1, "sifive,plic-1.0.0");
    if (node < 0 || !dtb_reg(node, 0, &base, &size))
        panic("the device tree names no PLIC");

    /* One context for each (controller, cause) pair, in order. */
    for (i = 0;; i++) {
        uint32_t controller = dtb_cell(node, "interrupts-extended", 2 * i, 0);

        if (controller == 0)
            panic("the PLIC is not wired to hart %u", (unsigned)hart);
        if (controller == mine &&
            dtb_cell(node, "interrupts-extended", 2 * i + 1, 0) == MACHINE_EXTERNAL)
            break;
    }
    priority = base + PRIORITY;
    enable = base + ENABLE + ENABLE_STRIDE * i;
    context = base + CONTEXT + CONTEXT_STRIDE * i;
    io_write32(context + THRESHOLD, 0);
    __asm__ volatile("csrs mie, %0" ::"r"(MIE_MEIE));
}

void plic_attach(uint32_t source, void (*handler)(void *arg), void *arg)
{
    uintptr_t word = enable + source / 32 * 4;

    if (source == 0 || handler_count == HANDLERS)
        panic("no room for interrupt %u", (unsigned)source);
    handlers[handler_count].source = source;
    handlers[handler_count].handler = handler;
    handlers[handler_count].arg = arg;
    handler_count++;
    io_write32(priority + 4 * source, 1);
    io_write32(word, io_read32(word) | UINT32_C(1) << source % 32);
}

bool plic_poll(void)
{
    bool any = false;
    uint32_t source;

    while ((source = io_read32(context + CLAIM)) != 0) {
        for (unsigned i = 0; i < handler_count; i++)
            if (handlers[i].source == source)
                handlers[i].handler(handlers[i].arg);
        /* The device is quiet before its source may ask again. */
        io_fence();
        io_write32(context + CLAIM, source);
        any = true;
    }
    return any;
}
