/* A PHY's management interface: registers of 16 bits, read and written bit by bit on two wires. */
#ifndef DEVICES_MDIO_H
#define DEVICES_MDIO_H

#include <stdbool.h>
#include <stdint.h>

/** The state of a transfer; zero it when the card is reset. */
struct mdio {
    bool clock;
    uint8_t n_in; /* bits of the frame seen; 0: waits for its start */
    uint32_t in;
    uint8_t n_out; /* bits still to come: of the turnaround two, then a register */
    uint16_t out;
};

enum mdio_event {
    MDIO_NOTHING,
    MDIO_READ,  /* the card is to answer, if it has that PHY */
    MDIO_WRITE, /* value was written */
};

/** What a frame asks for. */
struct mdio_request {
    uint8_t phy, reg;
    uint16_t value;
};

/** The wires change: clock, and data as it is if the PHY does not drive it. */
enum mdio_event mdio_write(struct mdio *m, bool clock, bool in, struct mdio_request *asked);

/** What a read gives; without an answer the wire stays high. */
void mdio_answer(struct mdio *m, uint16_t value);

/** Data as the PHY drives it. */
bool mdio_read(const struct mdio *m);

#endif
