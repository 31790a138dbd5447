/* The 93C46: a start bit, two bits of operation, six of address; then the word, most significant bit
   first, on the clock's rising edges. */
#include "devices/eeprom93.h"

#define COMMAND_BITS 9
#define OPERATION_READ 2
#define WORD_BITS 16

static void rising(struct eeprom93 *e, const uint16_t *words, bool in)
{
    if (e->n_out) {
        if (e->n_out-- <= WORD_BITS)
            e->out = (uint16_t)(e->out << 1);
        return;
    }
    if (!e->n_in && !in)
        return; /* no start bit yet */
    e->in = (uint16_t)(e->in << 1 | in);
    if (++e->n_in < COMMAND_BITS)
        return;
    if ((e->in >> 6 & 3) == OPERATION_READ) {
        e->out = words[e->in & (EEPROM93_WORDS - 1)];
        e->n_out = WORD_BITS + 1;
    }
    e->n_in = 0;
    e->in = 0;
}

void eeprom93_write(struct eeprom93 *e, const uint16_t words[EEPROM93_WORDS], bool select,
                    bool clock, bool in)
{
    bool rises = clock && !e->clock;

    e->clock = clock;
    if (!select)
        *e = (struct eeprom93){.clock = clock};
    else if (rises)
        rising(e, words, in);
}

bool eeprom93_read(const struct eeprom93 *e)
{
    return e->n_out == 0 || (e->n_out <= WORD_BITS && e->out >> 15);
}
