/* An NE2000 on PCI, or one on ISA beside it, driven at its ports. */
#include "ne2k_rig.h"

#include "devices/isa.h"
#include "sim/vlan.h"

bool on_isa;
const uint8_t other[ETH_ALEN] = {0x52, 0x54, 0, 0x12, 0x34, 0x57};
const uint8_t broadcast[ETH_ALEN] = {255, 255, 255, 255, 255, 255};
const uint8_t group[ETH_ALEN] = {0x01, 0, 0x5e, 0, 0, 1};

static struct isa_bus isa;
struct nic *pci_nic;
static struct nic *isa_nic;

int pci_setup(void **state)
{
    (void)state;
    card_start("ne2k_pci");
    pci_nic = nic;
    isa_nic = NULL;
    on_isa = false;
    return 0;
}

int isa_setup(void **state)
{
    struct nic_config c = {.iobase = 0x320, .irq = 5};
    struct err err = {0};

    pci_setup(state);
    memcpy(c.mac, own, ETH_ALEN);
    isa = (struct isa_bus){.sink = &rig.sink, .first_line = ISA_LINE};
    host.isa = &isa;
    isa_nic = nic_model_find("ne2k_isa")->create(&rig.env, "h1.eth1", &c, &err);
    assert_non_null(isa_nic);
    isa_attach(&isa, isa_nic->isa);
    port_attach(&isa_nic->port, lan, &lan->link);
    nic = isa_nic;
    on_isa = true;
    return 0;
}

int teardown(void **state)
{
    (void)state;
    nic_destroy(isa_nic);
    nic = pci_nic;
    card_finish();
    return 0;
}

struct dp8390 *chip(void)
{
    return nic->dev.object;
}

uint64_t in_n(unsigned port, unsigned size)
{
    return on_isa ? io_read(0x320 + port, size) : card_read(0, port, size);
}

void out_n(unsigned port, uint64_t v, unsigned size)
{
    if (on_isa)
        io_write(0x320 + port, v, size);
    else
        card_write(0, port, v, size);
}

unsigned in(unsigned port)
{
    return (unsigned)in_n(port, 1);
}

void out(unsigned port, unsigned v)
{
    out_n(port, v & 0xff, 1);
}

unsigned page_in(unsigned page, unsigned reg)
{
    unsigned v;

    out(0, page | START);
    v = in(reg);
    out(0, P0 | START);
    return v;
}

void page_out(unsigned page, unsigned reg, unsigned v)
{
    out(0, page | START);
    out(reg, v);
    out(0, P0 | START);
}

bool line(void)
{
    return rig.line[on_isa ? ISA_LINE + 5 : CARD_LINE];
}

void start(unsigned rcr)
{
    out(0, STOP);
    out(0xe, 0x49);
    out(0xa, 0);
    out(0xb, 0);
    out(0xc, rcr);
    out(0xd, 0);
    out(1, FIRST);
    out(2, END);
    out(3, FIRST);
    out(7, 0xff);
    out(0xf, ALL);
    out(0, P1 | STOP);
    for (unsigned i = 0; i < ETH_ALEN; i++)
        out(1 + i, own[i]);
    for (unsigned i = 0; i < 8; i++)
        out(8 + i, 0);
    out(7, FIRST + 1);
    out(0, START);
}

void remote(unsigned command, unsigned at, unsigned len)
{
    out(8, at);
    out(9, at >> 8);
    out(0xa, len);
    out(0xb, len >> 8);
    out(0, 2 | command);
}

void ram_read(unsigned at, void *to, unsigned len)
{
    uint8_t *p = to;

    remote(RD_READ, at, len);
    for (unsigned i = 0; i < len; i += 2)
        store_le16(p + i, (uint16_t)in_n(DATA, 2));
    out(0, START);
}

void ram_write(unsigned at, const void *from, unsigned len)
{
    const uint8_t *p = from;

    remote(RD_WRITE, at, len);
    for (unsigned i = 0; i < len; i += 2)
        out_n(DATA, load_le16(p + i), 2);
    out(0, START);
}

void transmit(unsigned len)
{
    out(4, TX_PAGE);
    out(5, len);
    out(6, len >> 8);
    out(0, SEND);
}

unsigned curr(void)
{
    return page_in(P1, 7);
}

uint64_t refused(void)
{
    return nic->port.stats.drops[DROP_REFUSED];
}

unsigned packets(const uint8_t *to)
{
    unsigned before = curr(), after;

    card_receive(to, 60);
    after = curr();
    return after != before;
}
