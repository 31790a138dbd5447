/* The card's surroundings; a card that does too much at once ends the program. */
#include "tests/fuzz/nic_rig.h"

#include <assert.h>
#include <stdio.h>

#define ECAM 0x30000000ULL
#define MEMORY 0x40000000ULL
#define SLOT (1u << 3)

/* --- memory --- */

static void begin(struct nic_rig *r)
{
    r->dma_calls = r->dma_bytes = 0;
}

static bool dma_goes(struct nic_rig *r, uint64_t addr, size_t len)
{
    if (++r->dma_calls > NIC_MAX_DMA || (r->dma_bytes += (uint32_t)len) > NIC_MAX_BYTES) {
        fprintf(stderr, "too much work at once: %u accesses to memory, %u bytes\n", r->dma_calls,
                r->dma_bytes);
        abort();
    }
    return addr < NIC_RAM && len <= NIC_RAM - addr;
}

static bool dma_read(struct dma *dma, uint64_t addr, void *buf, size_t len)
{
    struct nic_rig *r = container_of(dma, struct nic_rig, dma);

    if (!dma_goes(r, addr, len))
        return false;
    memcpy(buf, r->ram + addr, len);
    return true;
}

static bool dma_write(struct dma *dma, uint64_t addr, const void *buf, size_t len)
{
    struct nic_rig *r = container_of(dma, struct nic_rig, dma);

    if (!dma_goes(r, addr, len))
        return false;
    memcpy(r->ram + addr, buf, len);
    return true;
}

static void line_set(struct irq_sink *sink, uint32_t n, bool level)
{
    (void)sink;
    (void)level;
    assert(n < ISA_LINES);
    (void)n;
}

static void origin(struct device_env *env, struct frame_origin *o)
{
    (void)env;
    *o = (struct frame_origin){.guest = "rig"};
}

/* --- life --- */

static void card_connect(struct nic_rig *r)
{
    struct pci_host_config c = {ECAM,   256u << 20,  0x03000000, 0x10000,
                                MEMORY, 0x40000000u, &r->sink,   0};
    uint32_t at = (uint32_t)MEMORY;

    pci_host_init(&r->host, &r->env, "host", &c);
    pci_attach(&r->host, r->nic->pci, NULL, SLOT);
    for (unsigned n = 0; n < PCI_BARS; n++) {
        const struct pci_bar *b = &r->nic->pci->bars[n];
        if (!b->size)
            continue;
        pci_config_write(r->nic->pci, PCI_BAR0 + 4 * n,
                         b->flags & PCI_BAR_IO ? 0x1000 * (n + 1) : at, 4);
        at += 1u << 20;
    }
    pci_config_write(r->nic->pci, PCI_COMMAND,
                     PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

void nic_rig_init(struct nic_rig *r, struct sim *s, const char *model, unsigned number)
{
    static const struct actor_ops ops = {.kind = "rig"};
    struct nic_config c = {.mac = {0x52, 0x54, 0, 0x12, 0x34, (uint8_t)(0x56 + number)},
                           .vectors = 4,
                           .mtu = 1500};
    struct err err = {0};
    const char *several = strstr(model, "-mq"); /* behind the name: with four pairs of queues */
    char name[32];
    const struct nic_model *m;

    snprintf(name, sizeof(name), "%.*s", several ? (int)(several - model) : 31, model);
    m = nic_model_find(name);
    c.queues = several ? 4 : 1;

    *r = (struct nic_rig){0};
    snprintf(name, sizeof(name), "r%u", number);
    actor_init(&r->actor, &ops, s, name);
    r->dma = (struct dma){dma_read, dma_write};
    r->env = (struct device_env){&r->actor, &r->dma, 7, origin, NULL};
    r->sink.set = line_set;
    r->ram = xcalloc(1, NIC_RAM);
    c.legacy = strcmp(m->bus, "pci") == 0; /* virtio: both interfaces */
    r->nic = m->create(&r->env, name, &c, &err);
    if (!r->nic)
        abort();
    if (r->nic->pci)
        card_connect(r);
    if (r->nic->isa) {
        r->isa.sink = &r->sink;
        isa_attach(&r->isa, r->nic->isa);
    }
    r->lan = vlan_create(s, name, VLAN_HUB);
    r->lan->link.rate_bps = 0;
    port_attach(&r->nic->port, r->lan, &r->lan->link);
}

void nic_rig_finish(struct nic_rig *r)
{
    bool card = r->nic->pci;

    nic_rig_forget(r);
    nic_destroy(r->nic);
    if (card) {
        device_finish(&r->host.memory_window);
        device_finish(&r->host.io_window);
        device_finish(&r->host.dev);
        free(r->host.mappings);
    }
    actor_finish(&r->actor);
    free(r->ram);
}

void nic_rig_clone(struct nic_rig *r, struct nic_rig *from)
{
    r->actor.now = from->actor.now;
    memcpy(r->ram, from->ram, NIC_RAM);
    if (r->nic->pci)
        device_clone(&r->host.dev, &from->host.dev);
    device_clone(&r->nic->dev, &from->nic->dev);
    begin(r);
    if (r->nic->dev.ops->cloned)
        r->nic->dev.ops->cloned(&r->nic->dev);
}

/* --- registers --- */

/* What answers: a BAR, ports, or the device's region. */
struct answer {
    uint64_t (*read)(struct device *dev, uint64_t offset, unsigned size);
    void (*write)(struct device *dev, uint64_t offset, uint64_t value, unsigned size);
    uint64_t size;
    unsigned min, max;
};

static struct answer answer_of(const struct nic_rig *r, unsigned bar)
{
    const struct pci_bar *b = r->nic->pci ? &r->nic->pci->bars[bar] : NULL;
    const struct region *g = &r->nic->dev.region;
    const struct isa_card *isa = r->nic->isa;

    if (b)
        return (struct answer){b->read, b->write, b->size, b->min_size, b->max_size};
    if (isa)
        return (struct answer){isa->read, isa->write, isa->size, 1, 2};
    return (struct answer){g->read, g->write, g->size, g->min_size, g->max_size};
}

static bool goes_through(const struct answer *a, uint64_t offset, unsigned size)
{
    return size >= a->min && size <= a->max && offset % size == 0 && offset + size <= a->size;
}

uint64_t nic_rig_size(const struct nic_rig *r, unsigned bar)
{
    return answer_of(r, bar).size;
}

uint64_t nic_rig_read(struct nic_rig *r, unsigned bar, uint64_t offset, unsigned size)
{
    struct answer a = answer_of(r, bar);

    begin(r);
    return a.read && goes_through(&a, offset, size) ? a.read(&r->nic->dev, offset, size) : 0;
}

void nic_rig_write(struct nic_rig *r, unsigned bar, uint64_t offset, uint64_t value, unsigned size)
{
    struct answer a = answer_of(r, bar);

    begin(r);
    if (a.write && goes_through(&a, offset, size))
        a.write(&r->nic->dev, offset, value, size);
}

/* --- time and frames --- */

void nic_rig_advance(struct nic_rig *r, vtime_t to)
{
    struct evq *q = &r->actor.events;

    while (evq_next(q) <= to) {
        r->actor.now = MAX(r->actor.now, evq_next(q));
        begin(r);
        evq_run(q, r->actor.now);
    }
    r->actor.now = to;
}

void nic_rig_receive(struct nic_rig *r, struct frame *f)
{
    begin(r);
    if (port_receive(&r->nic->port, f, r->actor.now))
        port_wake(&r->nic->port);
    nic_rig_advance(r, r->actor.now + r->lan->link.delay_ns);
}

void nic_rig_forget(struct nic_rig *r)
{
    for (uint32_t i = 0; i < r->actor.n_out; i++)
        frame_unref(r->actor.outbox[i].frame);
    r->actor.n_out = 0;
}
