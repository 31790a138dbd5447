/*
 * The generic ECAM host (PCI Express Base 4.0, 7.2.2; PCI Firmware 3.2, 4.1.2), as QEMU's virt
 * board has it.
 *
 *     ECAM offset:   bus << 20 | slot << 15 | function << 12 | register
 *
 * What nobody answers reads as all ones. Where base addresses lie is worked out when they
 * have moved and somebody looks. Of two that overlap, the one that was connected first answers, and
 * the other nowhere.
 */
#include "devices/pci_host.h"

#include <assert.h>

#include "devices/isa.h"
#include "devices/pci_bridge.h"

static uint64_t all_ones(unsigned size)
{
    return size == 8 ? ~0ULL : (1ULL << 8 * size) - 1;
}

/* --- configuration --- */

static struct pci_function *function_at(struct pci_host *h, uint64_t offset)
{
    uint8_t bus = (uint8_t)(offset >> 20), devfn = (uint8_t)(offset >> 12);

    for (struct pci_function *f = h->functions; f; f = f->next)
        if (f->devfn == devfn && pci_bridge_reaches(f->behind, bus))
            return f;
    return NULL;
}

static uint64_t ecam_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct pci_function *f = function_at(dev->object, offset);
    unsigned at = offset & 0xfff;

    if (!f)
        return all_ones(size);
    if (at < PCI_CONFIG_SIZE)
        return pci_config_read(f, at, size);
    /* A PCI Express function has no extended capabilities; others, not the space for them. */
    return f->is_express && !f->behind ? 0 : all_ones(size);
}

static void ecam_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct pci_function *f = function_at(dev->object, offset);
    unsigned at = offset & 0xfff;

    if (f && at < PCI_CONFIG_SIZE)
        pci_config_write(f, at, (uint32_t)value, size);
}

/* --- base addresses --- */

void pci_host_moved(struct pci_host *h)
{
    if (h)
        h->moved = true;
}

static bool mapping_before(const struct pci_mapping *a, const struct pci_mapping *b)
{
    return a->io != b->io ? a->io < b->io : a->base < b->base;
}

static bool overlap(const struct pci_mapping *a, const struct pci_mapping *b)
{
    return a->io == b->io && a->base < b->base + b->size && b->base < a->base + a->size;
}

/* Insert where it belongs, unless something lies there already. */
static void mapping_add(struct pci_host *h, struct pci_mapping m)
{
    uint32_t i;

    if (m.base + m.size < m.base)
        return;
    for (i = 0; i < h->n_mappings; i++)
        if (overlap(&h->mappings[i], &m))
            return;
    array_reserve(h->mappings, &h->cap_mappings, h->n_mappings + 1);
    for (i = h->n_mappings++; i > 0 && mapping_before(&m, &h->mappings[i - 1]); i--)
        h->mappings[i] = h->mappings[i - 1];
    h->mappings[i] = m;
}

static void map_all(struct pci_host *h)
{
    h->moved = false;
    h->n_mappings = 0;
    for (struct pci_function *f = h->functions; f; f = f->next) {
        for (uint8_t n = 0; n < PCI_BARS; n++) {
            struct pci_mapping m = {0, f->bars[n].size, f, n, f->bars[n].flags & PCI_BAR_IO};
            if (pci_bar_address(f, n, &m.base) &&
                pci_bridge_forwards(f->behind, m.base, m.size, m.io))
                mapping_add(h, m);
        }
    }
}

static const struct pci_mapping *mapping_find(struct pci_host *h, uint64_t at, bool io)
{
    struct pci_mapping key = {.base = at, .io = io};
    uint32_t lo = 0, hi;

    if (h->moved)
        map_all(h);
    hi = h->n_mappings;
    while (lo < hi) { /* the first that begins behind it */
        uint32_t mid = (lo + hi) / 2;
        if (mapping_before(&key, &h->mappings[mid]))
            hi = mid;
        else
            lo = mid + 1;
    }
    const struct pci_mapping *m = lo ? &h->mappings[lo - 1] : NULL;
    return m && m->io == io && at - m->base < m->size ? m : NULL;
}

/* The register behind an access; NULL: it is not for anyone, or not of a size that is taken. */
static const struct pci_bar *bar_find(struct pci_host *h, uint64_t at, bool io, unsigned size,
                                      const struct pci_mapping **m)
{
    const struct pci_bar *b;

    *m = mapping_find(h, at, io);
    if (!*m)
        return NULL;
    b = &(*m)->function->bars[(*m)->bar];
    if (size >= b->min_size && size <= b->max_size && !(at & (size - 1)))
        return b;
    device_warn((*m)->function->dev, "%s: no access of %u bytes at 0x%x", b->name, size,
                (unsigned)(at - (*m)->base));
    return NULL;
}

/* Eight bytes pass as twice four where the bus has no more (Local Bus 3.0, 3.8). */
static bool passes_in_halves(struct pci_host *h, uint64_t at, bool io, unsigned size)
{
    const struct pci_mapping *m = size == 8 && !io && !(at & 7) ? mapping_find(h, at, io) : NULL;

    return m && m->function->bars[m->bar].max_size == 4;
}

static uint64_t window_read(struct pci_host *h, uint64_t at, bool io, unsigned size)
{
    const struct pci_mapping *m;
    const struct pci_bar *b;

    if (passes_in_halves(h, at, io, size)) {
        uint64_t low = window_read(h, at, io, 4);
        return low | window_read(h, at + 4, io, 4) << 32;
    }
    b = bar_find(h, at, io, size, &m);
    return b && b->read ? b->read(m->function->dev, at - m->base, size) : all_ones(size);
}

static void window_write(struct pci_host *h, uint64_t at, bool io, uint64_t value, unsigned size)
{
    const struct pci_mapping *m;
    const struct pci_bar *b;

    if (passes_in_halves(h, at, io, size)) {
        window_write(h, at, io, (uint32_t)value, 4);
        window_write(h, at + 4, io, value >> 32, 4);
        return;
    }
    b = bar_find(h, at, io, size, &m);
    if (b && b->write)
        b->write(m->function->dev, at - m->base, value, size);
}

static uint64_t io_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct pci_host *h = dev->object;
    uint64_t value;

    if (h->isa && isa_read(h->isa, offset, size, &value))
        return value;
    return window_read(h, offset, true, size);
}

static void io_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct pci_host *h = dev->object;

    if (!h->isa || !isa_write(h->isa, offset, size, value))
        window_write(h, offset, true, value, size);
}

static uint64_t memory_read(struct device *dev, uint64_t offset, unsigned size)
{
    return window_read(dev->object, dev->region.base + offset, false, size);
}

static void memory_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    window_write(dev->object, dev->region.base + offset, false, value, size);
}

/* --- interrupts --- */

/* Each bridge turns the pins by the slot (PCI-to-PCI Bridge 1.2, 9.1; Local Bus 3.0, 2.2.6). */
unsigned pci_host_pin_line(const struct pci_function *f, unsigned pin)
{
    for (;; f = pci_bridge_function(f->behind)) {
        pin = (pin - 1 + (f->devfn >> 3)) % PCI_HOST_LINES + 1;
        if (!f->behind)
            return pin - 1;
    }
}

/* A line is held as long as any function holds it. */
void pci_host_lines_changed(struct pci_host *h)
{
    bool held[PCI_HOST_LINES] = {false};

    for (const struct pci_function *f = h->functions; f; f = f->next)
        if (f->line && f->config[PCI_INTERRUPT_PIN])
            held[pci_host_pin_line(f, f->config[PCI_INTERRUPT_PIN])] = true;
    for (unsigned i = 0; i < PCI_HOST_LINES; i++)
        irq_set(&h->lines[i], held[i]);
}

/* --- life --- */

static void host_reset(struct device *dev)
{
    pci_reset(&((struct pci_host *)dev->object)->pci);
}

static void host_clone(struct device *dev, const struct device *from)
{
    struct pci_host *h = dev->object;
    const struct pci_host *other = from->object;

    for (unsigned i = 0; i < PCI_HOST_LINES; i++)
        h->lines[i].level = other->lines[i].level; /* the controller's state has them already */
    h->moved = true;
}

static void host_finish(struct device *dev)
{
    free(((struct pci_host *)dev->object)->mappings);
}

static const struct field host_state[] = {PCI_FIELDS(struct pci_host), FIELD_END};

static const struct device_ops host_ops = {
    .name = "pci-host-ecam-generic",
    .help = "PCI host bridge",
    .state = host_state,
    .reset = host_reset,
    .clone = host_clone,
    .finish = host_finish,
};

static const struct device_ops window_ops = {.name = "pci-window", .help = "window to a PCI bus"};

static void window_init(struct device *dev, struct pci_host *h, struct device_env *env,
                        const char *name, const struct region *r)
{
    device_init(dev, &window_ops, h, name, env);
    dev->region = *r;
    dev->region.name = "pci-window";
    dev->region.min_size = 1;
    dev->region.max_size = 8;
}

void pci_host_init(struct pci_host *h, struct device_env *env, const char *name,
                   const struct pci_host_config *c)
{
    /* As QEMU's: Red Hat's generic host bridge, so that nothing takes it for another. */
    static const struct pci_id id = {.vendor = 0x1b36,
                                     .device = 0x0008,
                                     .subsystem_vendor = 0x1af4,
                                     .subsystem = 0x1100,
                                     .class_code = 0x060000};

    *h = (struct pci_host){.config = *c};
    device_init(&h->dev, &host_ops, h, name, env);
    h->dev.region = (struct region){.name = "pci-ecam",
                                    .base = c->ecam,
                                    .size = c->ecam_size,
                                    .min_size = 1,
                                    .max_size = 4,
                                    .read = ecam_read,
                                    .write = ecam_write};
    window_init(
        &h->io_window, h, env, name,
        &(struct region){.base = c->io, .size = c->io_size, .read = io_read, .write = io_write});
    window_init(
        &h->memory_window, h, env, name,
        &(struct region){
            .base = c->memory, .size = c->memory_size, .read = memory_read, .write = memory_write});
    for (unsigned i = 0; i < PCI_HOST_LINES; i++)
        h->lines[i] = (struct irq){.sink = c->sink, .n = c->first_line + i};
    pci_init(&h->pci, &h->dev, &id);
    pci_attach(h, &h->pci, NULL, 0);
}

void pci_attach(struct pci_host *h, struct pci_function *f, struct pci_bridge *behind,
                unsigned devfn)
{
    struct pci_function **end = &h->functions;

    for (; *end; end = &(*end)->next)
        assert((*end)->behind != behind || (*end)->devfn != devfn);
    *end = f;
    f->host = h;
    f->behind = behind;
    f->devfn = (uint8_t)devfn;
    pci_reset(f);
}
