/* ne2k_isa: the NE2000's ports where jumpers would have put them. */
#include "devices/ne2k_isa.h"

#include "devices/dp8390.h"
#include "devices/isa.h"

struct ne2k_isa {
    struct dp8390 chip;
    struct isa_card card;
};

static void interrupt(struct dp8390 *chip, bool level)
{
    irq_set(&chip->nic.dev.irq, level);
}

static const struct dp8390_kind dp8390 = {{0xff, 0xff}, false, interrupt};

static void ne2k_isa_reset(struct device *dev)
{
    dp8390_reset(dev->object);
}

static const struct field ne2k_isa_fields[] = {DP8390_FIELDS, FIELD_END};

static const struct device_ops ne2k_isa_ops = {
    .name = "ne2k_isa",
    .help = "NE2000 Ethernet card",
    .state = ne2k_isa_fields,
    .reset = ne2k_isa_reset,
    .finish = dp8390_finish,
    .clone = dp8390_clone,
    .cloned = dp8390_cloned,
};

struct nic *ne2k_isa_create(struct device_env *env, const char *name, const struct nic_config *c,
                            struct err *err)
{
    struct ne2k_isa *n = xcalloc(1, sizeof(*n));

    (void)err;
    dp8390_init(&n->chip, &dp8390, &ne2k_isa_ops, env, name, c);
    n->card = (struct isa_card){.dev = &n->chip.nic.dev,
                                .base = c->iobase ? c->iobase : NE2K_ISA_IOBASE,
                                .size = NE2K_ISA_PORTS,
                                .irq = c->irq ? c->irq : NE2K_ISA_IRQ,
                                .read = dp8390_read,
                                .write = dp8390_write};
    n->chip.nic.isa = &n->card;
    return &n->chip.nic;
}
