/* A PCI host at the virt board's addresses, and a card in it. */
#include "pci_rig.h"

#include "sim/vlan.h"

#define ECAM 0x30000000ULL
#define MEMORY 0x40000000ULL
#define CARD (1u << 3)

struct rig rig;
struct pci_host host;
struct nic *nic;
struct vlan *lan;
const uint8_t own[ETH_ALEN] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

const uint8_t clones[ETH_ALEN] = {0x52, 0x54, 0, 9, 9, 9};

static uint64_t bar_at[PCI_BARS];

static void host_start(void)
{
    struct pci_host_config c = {ECAM,   256u << 20,  0x03000000, 0x10000,
                                MEMORY, 0x40000000u, &rig.sink,  PCI_RIG_LINE};

    pci_host_init(&host, &rig.env, "rig.pci", &c);
}

/* As firmware does: sizes by writing ones, addresses one behind the other. */
static void bars_place(void)
{
    uint64_t memory = MEMORY;
    uint32_t io = 0x1000;

    for (unsigned n = 0; n < PCI_BARS; n++) {
        const struct pci_bar *b = &nic->pci->bars[n];
        unsigned at = PCI_BAR0 + 4 * n;
        if (!b->size)
            continue;
        config_write(CARD, at, ~0u, 4);
        uint32_t mask = config_read(CARD, at, 4);
        assert_int_equal(mask & 15 & (b->flags & PCI_BAR_IO ? 3 : 15), b->flags);
        assert_int_equal(~(mask & (b->flags & PCI_BAR_IO ? ~3u : ~15u)) + 1, b->size);
        if (b->flags & PCI_BAR_IO) {
            bar_at[n] = io;
            io += MAX(b->size, 0x100u);
        } else {
            memory = (memory + b->size - 1) & ~(uint64_t)(b->size - 1);
            bar_at[n] = memory;
            memory += b->size;
        }
        config_write(CARD, at, (uint32_t)bar_at[n], 4);
        if (b->flags & PCI_BAR_64BIT)
            config_write(CARD, at + 4, 0, 4);
    }
    config_write(CARD, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

void card_start(const char *model)
{
    card_start_with(model, (struct nic_config){0});
}

void card_start_with(const char *model, struct nic_config c)
{
    struct err err = {0};

    rig_init(&rig);
    host_start();
    memcpy(c.mac, own, ETH_ALEN);
    nic = nic_model_find(model)->create(&rig.env, "h1.eth0", &c, &err);
    assert_non_null(nic);
    pci_attach(&host, nic->pci, NULL, CARD);
    lan = vlan_create(&rig.sim, "lan", VLAN_HUB);
    lan->link.rate_bps = 0;
    port_attach(&nic->port, lan, &lan->link);
    bars_place();
}

void card_finish(void)
{
    rig_forget(&rig);
    nic_destroy(nic);
    nic = NULL;
    device_finish(&host.memory_window);
    device_finish(&host.io_window);
    device_finish(&host.dev);
    rig_finish(&rig);
}

static uint64_t ecam(unsigned devfn, unsigned at)
{
    return (uint64_t)devfn << 12 | at;
}

uint32_t config_read(unsigned devfn, unsigned at, unsigned size)
{
    return (uint32_t)rig_read(&host.dev, ecam(devfn, at), size);
}

void config_write(unsigned devfn, unsigned at, uint32_t value, unsigned size)
{
    rig_write(&host.dev, ecam(devfn, at), value, size);
}

uint64_t memory_read(uint64_t at, unsigned size)
{
    return rig_read(&host.memory_window, at - MEMORY, size);
}

void memory_write(uint64_t at, uint64_t value, unsigned size)
{
    rig_write(&host.memory_window, at - MEMORY, value, size);
}

uint64_t io_read(uint64_t port, unsigned size)
{
    return rig_read(&host.io_window, port, size);
}

void io_write(uint64_t port, uint64_t value, unsigned size)
{
    rig_write(&host.io_window, port, value, size);
}

uint64_t card_read(unsigned bar, uint64_t offset, unsigned size)
{
    bool io = nic->pci->bars[bar].flags & PCI_BAR_IO;

    return io ? io_read(bar_at[bar] + offset, size) : memory_read(bar_at[bar] + offset, size);
}

void card_write(unsigned bar, uint64_t offset, uint64_t value, unsigned size)
{
    bool io = nic->pci->bars[bar].flags & PCI_BAR_IO;

    (io ? io_write : memory_write)(bar_at[bar] + offset, value, size);
}

struct nic *card_clone(const char *model, bool up)
{
    struct nic_config c = nic->config;
    struct err err = {0};
    struct nic *n;

    memcpy(c.mac, clones, ETH_ALEN);
    n = nic_model_find(model)->create(&rig.env, "h2.eth0", &c, &err);
    assert_non_null(n);
    n->port.up = up;
    device_clone(&n->dev, &nic->dev);
    n->dev.ops->cloned(&n->dev);
    return n;
}

void card_fill(uint8_t *p, uint32_t len, const uint8_t *to)
{
    for (uint32_t i = 0; i < len; i++)
        p[i] = (uint8_t)i;
    memcpy(p, to, ETH_ALEN);
    memcpy(p + ETH_ALEN, (uint8_t[]){2, 0, 0, 0, 0, 9}, ETH_ALEN);
    store_be16(p + 12, 0x88b5);
}

void card_receive(const uint8_t *to, uint32_t len)
{
    struct frame *f = frame_new(len);

    f->len = len;
    card_fill(f->data, len, to);
    rig_receive(&rig, &nic->port, f);
    rig_advance(&rig, rig.actor.now + lan->link.delay_ns);
    frame_unref(f);
}
