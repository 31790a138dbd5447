/*
 * Management frames (IEEE 802.3, 22.2.4.5), on the clock's rising edges:
 *
 *     ones | 01 | 10 read, 01 write | PHY 5 | register 5 | turnaround 2 | value 16 |
 *
 * Simplification: the 32 ones before a frame are not asked for.
 */
#include "devices/mdio.h"

#define ADDRESSED 14 /* bits up to the register's number */
#define WHOLE 32
#define ANSWER 18 /* bits from the turnaround on */
#define OPERATION_WRITE 1
#define OPERATION_READ 2

/* A start is a zero and a one; `in` begins with that one. */
static enum mdio_event rising(struct mdio *m, bool in, struct mdio_request *asked)
{
    unsigned operation;

    if (m->n_out) {
        m->n_out--;
        return MDIO_NOTHING;
    }
    if (m->n_in < 2) {
        m->n_in = in ? (uint8_t)(m->n_in * 2) : 1;
        m->in = in;
        return MDIO_NOTHING;
    }
    m->in = m->in << 1 | in;
    m->n_in++;
    if (m->n_in == ADDRESSED) {
        operation = m->in >> 10 & 3;
        *asked = (struct mdio_request){m->in >> 5 & 31, m->in & 31, 0};
        if (operation != OPERATION_WRITE)
            m->n_in = 0;
        return operation == OPERATION_READ ? MDIO_READ : MDIO_NOTHING;
    }
    if (m->n_in < WHOLE)
        return MDIO_NOTHING;
    m->n_in = 0;
    *asked = (struct mdio_request){m->in >> 23 & 31, m->in >> 18 & 31, (uint16_t)m->in};
    return MDIO_WRITE;
}

enum mdio_event mdio_write(struct mdio *m, bool clock, bool in, struct mdio_request *asked)
{
    bool rises = clock && !m->clock;

    m->clock = clock;
    return rises ? rising(m, in, asked) : MDIO_NOTHING;
}

void mdio_answer(struct mdio *m, uint16_t value)
{
    m->out = value;
    m->n_out = ANSWER;
}

/* Of the turnaround, the first bit is nobody's and the second a zero. */
bool mdio_read(const struct mdio *m)
{
    if (m->n_out == 0 || m->n_out == ANSWER)
        return true;
    return m->n_out < ANSWER - 1 && (m->out >> (m->n_out - 1) & 1);
}
