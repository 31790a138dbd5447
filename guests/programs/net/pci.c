/*
 * PCI (Local Bus 3.0, chapter 6; PCI-to-PCI Bridge 1.2, chapter 3; the device tree's binding is
 * IEEE 1275's): enough of it to bring up network cards. Base addresses are given out in the order
 * in which functions are found, so that what lies behind a bridge is in one piece.
 */
#include "net/pci.h"

#include <stddef.h>

#include "base/dtb.h"
#include "base/io.h"

enum { COMMAND = 0x04, HEADER_TYPE = 0x0e, BAR0 = 0x10, CAPABILITIES = 0x34, PIN = 0x3d };
enum { COMMAND_IO = 1, COMMAND_MEMORY = 2, COMMAND_MASTER = 4 };
enum { BAR_IO = 1, BAR_64BIT = 4 };
enum { HEADER_CARD = 0, HEADER_BRIDGE = 1, MULTIFUNCTION = 0x80 };
enum { FUNCTIONS = 256, BUSES = 32, PINS = 4, CAPABILITIES_MOST = 48 };

/* Registers of bridges, and how finely their windows are cut. */
enum {
    PRIMARY = 0x18,
    SECONDARY = 0x19,
    SUBORDINATE = 0x1a,
    IO_BASE = 0x1c,
    IO_LIMIT = 0x1d,
    MEMORY_BASE = 0x20,
    MEMORY_LIMIT = 0x22,
    PREFETCH_BASE = 0x24,
    PREFETCH_LIMIT = 0x26,
};
enum { IO_GRAIN = 4096, MEMORY_GRAIN = 1 << 20 };

/* Rows of the host's properties, in cells. */
enum { RANGE = 7, RANGE_IO = 1, RANGE_MEMORY = 2, MAP = 6 };

/* Low ports are left to ISA cards. */
#define IO_FIRST 0x1000

/* A window of the host: addresses on the bus, and where the processor sees them. */
struct window {
    uint32_t next, end;
    uintptr_t offset;
};

static uintptr_t ecam;
static int host;
static struct window ports, memory;
static unsigned last_bus, most_buses;
static uint16_t ways[BUSES]; /* the bridge to each bus: bus << 8 | devfn */

static void window_set(struct window *w, unsigned row, uint32_t first)
{
    uint32_t base = dtb_cell(host, "ranges", row + 2, 0);

    w->next = base + first;
    w->end = base + dtb_cell(host, "ranges", row + 6, 0);
    w->offset = ((uintptr_t)dtb_cell(host, "ranges", row + 3, 0) << 32 |
                 dtb_cell(host, "ranges", row + 4, 0)) -
                base;
}

static uintptr_t config_of(unsigned bus, unsigned devfn)
{
    return ecam + ((uintptr_t)bus << 20 | (uintptr_t)devfn << 12);
}

static unsigned header_of(uintptr_t config)
{
    return io_read8(config + HEADER_TYPE) & ~(unsigned)MULTIFUNCTION;
}

static bool is_alone(unsigned bus, unsigned devfn)
{
    return !(io_read8(config_of(bus, devfn & ~7u) + HEADER_TYPE) & MULTIFUNCTION);
}

/* The first function of a bus at `devfn` or behind it; FUNCTIONS: none. Function 0 says whether
   there are others in its slot. */
static unsigned function_find(unsigned bus, unsigned devfn)
{
    while (devfn < FUNCTIONS) {
        if ((devfn & 7) && is_alone(bus, devfn))
            devfn = (devfn | 7) + 1;
        else if ((io_read32(config_of(bus, devfn)) & 0xffff) != 0xffff)
            return devfn;
        else
            devfn = devfn & 7 ? devfn + 1 : devfn + 8;
    }
    return FUNCTIONS;
}

/* --- addresses --- */

static void window_align(struct window *w, uint32_t grain)
{
    uint32_t next = (w->next + grain - 1) & ~(grain - 1);

    w->next = next < w->next || next > w->end ? w->end : next;
}

/* How much a base address register decodes is what it lets be written (6.2.5.1). */
static void bar_assign(uintptr_t reg)
{
    struct window *w;
    uint32_t bits, size, at;

    io_write32(reg, 0xffffffff);
    bits = io_read32(reg);
    if (bits == 0)
        return;
    w = bits & BAR_IO ? &ports : &memory;
    bits &= bits & BAR_IO ? ~3u : ~15u;
    size = bits & -bits;
    at = (w->next + size - 1) & ~(size - 1);
    if (at < w->next || at > w->end || w->end - at < size) {
        io_write32(reg, 0);
        return;
    }
    io_write32(reg, at);
    w->next = at + size;
}

static bool bar_is_64bit(uintptr_t reg)
{
    return (io_read32(reg) & (BAR_IO | 6)) == BAR_64BIT;
}

static void bars_assign(uintptr_t config)
{
    for (unsigned n = 0; n < PCI_BARS; n++) {
        uintptr_t reg = config + BAR0 + 4 * n;

        bar_assign(reg);
        if (bar_is_64bit(reg) && ++n < PCI_BARS)
            io_write32(reg + 4, 0); /* below 4 GiB */
    }
}

static void decode(uintptr_t config)
{
    io_write16(config + COMMAND,
               io_read16(config + COMMAND) | COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER);
}

/* A base above its limit: nothing is passed on (3.2.5.6, 3.2.5.8). */
static void bridge_set(uintptr_t config, uint32_t io, uint32_t mem)
{
    uint32_t io_last = ports.next - 1, mem_last = memory.next - 1;

    io_write8(config + IO_BASE, (uint8_t)(io >> 8 & 0xf0));
    io_write8(config + IO_LIMIT, (uint8_t)(io_last >> 8 & 0xf0));
    io_write16(config + MEMORY_BASE, (uint16_t)(mem >> 16));
    io_write16(config + MEMORY_LIMIT, (uint16_t)(mem_last >> 16));
    if (io == ports.next) {
        io_write8(config + IO_BASE, 0xf0);
        io_write8(config + IO_LIMIT, 0);
    }
    if (mem == memory.next) {
        io_write16(config + MEMORY_BASE, 0xfff0);
        io_write16(config + MEMORY_LIMIT, 0);
    }
    io_write16(config + PREFETCH_BASE, 0xfff0);
    io_write16(config + PREFETCH_LIMIT, 0);
}

static void bus_assign(unsigned bus);

static void bridge_assign(unsigned bus, unsigned devfn)
{
    uintptr_t config = config_of(bus, devfn);
    uint32_t io, mem;

    if (last_bus + 1 >= most_buses)
        return;
    ways[++last_bus] = (uint16_t)(bus << 8 | devfn);
    io_write8(config + PRIMARY, (uint8_t)bus);
    io_write8(config + SECONDARY, (uint8_t)last_bus);
    io_write8(config + SUBORDINATE, 0xff); /* until it is known */
    window_align(&ports, IO_GRAIN);
    window_align(&memory, MEMORY_GRAIN);
    io = ports.next;
    mem = memory.next;
    bus_assign(last_bus);
    window_align(&ports, IO_GRAIN);
    window_align(&memory, MEMORY_GRAIN);
    io_write8(config + SUBORDINATE, (uint8_t)last_bus);
    bridge_set(config, io, mem);
    decode(config);
}

static void bus_assign(unsigned bus)
{
    unsigned devfn = 0;

    while ((devfn = function_find(bus, devfn)) < FUNCTIONS) {
        unsigned header = header_of(config_of(bus, devfn));

        if (header == HEADER_BRIDGE)
            bridge_assign(bus, devfn);
        else if (header == HEADER_CARD)
            bars_assign(config_of(bus, devfn));
        devfn++;
    }
}

bool pci_init(void)
{
    uint64_t base, size;
    size_t len;

    host = dtb_compatible(-1, "pci-host-ecam-generic");
    if (host < 0 || !dtb_reg(host, 0, &base, &size) || !dtb_property(host, "ranges", &len))
        return false;
    ecam = base;
    most_buses = size >> 20 < BUSES ? (unsigned)(size >> 20) : BUSES;
    for (unsigned row = 0; row + RANGE <= len / 4; row += RANGE) {
        uint32_t kind = dtb_cell(host, "ranges", row, 0) >> 24 & 3;

        if (kind == RANGE_IO)
            window_set(&ports, row, IO_FIRST);
        else if (kind == RANGE_MEMORY)
            window_set(&memory, row, 0);
    }
    bus_assign(0);
    return true;
}

/* --- cards --- */

/* Each bridge turns the pins by the slot (PCI-to-PCI Bridge 1.2, 9.1). On bus 0, rows of
   interrupt-map: slot and pin, then the controller and its source. */
static uint32_t irq_of(const struct pci_card *card)
{
    uint32_t pin = io_read8(card->config + PIN), devfn = card->devfn, slot, row;

    if (pin == 0)
        return 0;
    for (unsigned bus = card->bus; bus != 0; bus = ways[bus] >> 8) {
        pin = (pin - 1 + (devfn >> 3)) % PINS + 1;
        devfn = ways[bus] & 0xff;
    }
    slot = devfn << 8 & dtb_cell(host, "interrupt-map-mask", 0, 0);
    for (unsigned i = 0; (row = dtb_cell(host, "interrupt-map", i, ~0u)) != ~0u; i += MAP)
        if (row == slot && dtb_cell(host, "interrupt-map", i + 3, 0) == pin)
            return dtb_cell(host, "interrupt-map", i + 5, 0);
    return 0;
}

bool pci_next(struct pci_card *card)
{
    unsigned bus = card->bus, devfn = card->id ? card->devfn + 1u : 0;

    while ((devfn = function_find(bus, devfn)) == FUNCTIONS) {
        if (bus++ == last_bus)
            return false;
        devfn = 0;
    }
    *card = (struct pci_card){
        .bus = (uint8_t)bus, .devfn = (uint8_t)devfn, .config = config_of(bus, devfn)};
    card->id = io_read32(card->config);
    card->irq = irq_of(card);
    return true;
}

void pci_enable(struct pci_card *card)
{
    for (unsigned n = 0; n < PCI_BARS; n++) {
        uintptr_t reg = card->config + BAR0 + 4 * n;
        uint32_t bar = io_read32(reg);
        uint32_t at = bar & (bar & BAR_IO ? ~3u : ~15u);

        if (at != 0)
            card->bars[n] = at + (bar & BAR_IO ? ports.offset : memory.offset);
        n += bar_is_64bit(reg);
    }
    decode(card->config);
}

unsigned pci_capability(const struct pci_card *card, uint8_t kind, unsigned after)
{
    unsigned at = after ? after + 1 : CAPABILITIES;

    for (unsigned i = 0; i < CAPABILITIES_MOST; i++) {
        unsigned cap = io_read8(card->config + at) & ~3u;

        if (cap == 0)
            return 0;
        if (io_read8(card->config + cap) == kind)
            return cap;
        at = cap + 1;
    }
    return 0;
}
