/*
 * PCI (Local Bus 3.0, chapter 6; the device tree's binding is IEEE 1275's): enough of it to
 * bring up network cards. What lies behind bridges is not looked at.
 */
#include "net/pci.h"

#include <stddef.h>

#include "base/dtb.h"
#include "base/io.h"

enum { COMMAND = 0x04, HEADER_TYPE = 0x0e, BAR0 = 0x10, CAPABILITIES = 0x34, PIN = 0x3d };
enum { COMMAND_IO = 1, COMMAND_MEMORY = 2, COMMAND_MASTER = 4 };
enum { BAR_IO = 1, BAR_64BIT = 4 };
enum { FUNCTIONS = 256, MULTIFUNCTION = 0x80, CAPABILITIES_MOST = 48 };

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

static void window_set(struct window *w, unsigned row, uint32_t first)
{
    uint32_t base = dtb_cell(host, "ranges", row + 2, 0);

    w->next = base + first;
    w->end = base + dtb_cell(host, "ranges", row + 6, 0);
    w->offset = ((uintptr_t)dtb_cell(host, "ranges", row + 3, 0) << 32 |
                 dtb_cell(host, "ranges", row + 4, 0)) -
                base;
}

bool pci_init(void)
{
    uint64_t base, size;
    size_t len;

    host = dtb_compatible(-1, "pci-host-ecam-generic");
    if (host < 0 || !dtb_reg(host, 0, &base, &size) || !dtb_property(host, "ranges", &len))
        return false;
    ecam = base;
    for (unsigned row = 0; row + RANGE <= len / 4; row += RANGE) {
        uint32_t kind = dtb_cell(host, "ranges", row, 0) >> 24 & 3;

        if (kind == RANGE_IO)
            window_set(&ports, row, IO_FIRST);
        else if (kind == RANGE_MEMORY)
            window_set(&memory, row, 0);
    }
    return true;
}

/* Rows of interrupt-map: slot and pin, then the controller and its source. */
static uint32_t irq_of(const struct pci_card *card)
{
    uint32_t pin = io_read8(card->config + PIN);
    uint32_t slot = (uint32_t)card->devfn << 8 & dtb_cell(host, "interrupt-map-mask", 0, 0);
    uint32_t row;

    for (unsigned i = 0; (row = dtb_cell(host, "interrupt-map", i, ~0u)) != ~0u; i += MAP)
        if (row == slot && dtb_cell(host, "interrupt-map", i + 3, 0) == pin)
            return dtb_cell(host, "interrupt-map", i + 5, 0);
    return 0;
}

static bool is_alone(unsigned devfn)
{
    return !(io_read8(ecam + (devfn << 12) + HEADER_TYPE) & MULTIFUNCTION);
}

/* Function 0 says whether there are others in its slot. */
bool pci_next(struct pci_card *card)
{
    unsigned devfn = card->id ? card->devfn + 1u : 0;

    for (; devfn < FUNCTIONS; devfn++) {
        uint32_t id;

        if ((devfn & 7) && is_alone(devfn & ~7u))
            devfn = (devfn | 7) + 1;
        if (devfn == FUNCTIONS)
            break;
        id = io_read32(ecam + (devfn << 12));
        if ((id & 0xffff) == 0xffff) {
            if (!(devfn & 7))
                devfn |= 7;
            continue;
        }
        *card =
            (struct pci_card){.id = id, .devfn = (uint8_t)devfn, .config = ecam + (devfn << 12)};
        card->irq = irq_of(card);
        return true;
    }
    return false;
}

/* How much a base address register decodes is what it lets be written (6.2.5.1). */
static void bar_assign(struct pci_card *card, unsigned n)
{
    uintptr_t reg = card->config + BAR0 + 4 * n;
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
    card->bars[n] = w->offset + at;
}

void pci_enable(struct pci_card *card)
{
    for (unsigned n = 0; n < PCI_BARS; n++) {
        uintptr_t reg = card->config + BAR0 + 4 * n;

        bar_assign(card, n);
        if ((io_read32(reg) & (BAR_IO | 6)) == BAR_64BIT && ++n < PCI_BARS)
            io_write32(reg + 4, 0); /* below 4 GiB */
    }
    io_write16(card->config + COMMAND,
               io_read16(card->config + COMMAND) | COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER);
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
