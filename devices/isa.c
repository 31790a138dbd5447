/* The ISA bus: sixteen data lines, so that wider accesses are cut. No DMA, no memory, no plug and
 * play. */
#include "devices/isa.h"

#include <assert.h>

#define WIDTH 2

static struct isa_card *card_at(struct isa_bus *bus, uint64_t port)
{
    for (struct isa_card *c = bus->cards; c; c = c->next)
        if (port >= c->base && port - c->base < c->size)
            return c;
    return NULL;
}

void isa_attach(struct isa_bus *bus, struct isa_card *card)
{
    struct isa_card **end = &bus->cards;

    assert(card->irq < ISA_LINES);
    for (; *end; end = &(*end)->next)
        assert((*end)->irq != card->irq && ((*end)->base + (*end)->size <= card->base ||
                                            card->base + card->size <= (*end)->base));
    *end = card;
    card->dev->irq.sink = bus->sink;
    card->dev->irq.n = bus->first_line + card->irq;
}

/* A cycle at a port where no card is reads as all ones: nobody drives the lines. */
bool isa_read(struct isa_bus *bus, uint64_t port, unsigned size, uint64_t *value)
{
    if (!card_at(bus, port))
        return false;
    *value = 0;
    for (unsigned done = 0; done < size; done += WIDTH) {
        struct isa_card *c = card_at(bus, port + done);
        unsigned part = MIN(size, WIDTH);
        uint64_t v = c ? c->read(c->dev, port + done - c->base, part) : (1u << 8 * part) - 1;
        *value |= v << 8 * done;
    }
    return true;
}

bool isa_write(struct isa_bus *bus, uint64_t port, unsigned size, uint64_t value)
{
    if (!card_at(bus, port))
        return false;
    for (unsigned done = 0; done < size; done += WIDTH) {
        struct isa_card *c = card_at(bus, port + done);
        unsigned part = MIN(size, WIDTH);
        if (c)
            c->write(c->dev, port + done - c->base, value >> 8 * done & ((1u << 8 * part) - 1),
                     part);
    }
    return true;
}
