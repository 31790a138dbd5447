/* A 93C46 serial EEPROM: 64 words, read bit by bit over four wires (Microwire). */
#ifndef DEVICES_EEPROM93_H
#define DEVICES_EEPROM93_H

#include <stdbool.h>
#include <stdint.h>

#define EEPROM93_WORDS 64

/** The state of a transfer; zero it when the card is reset. Writing commands are not carried out. */
struct eeprom93 {
    bool clock;
    uint8_t n_in;  /* bits of the command seen; 0: waits for the start bit */
    uint16_t in;
    uint8_t n_out; /* bits still to come: a zero first, then a word */
    uint16_t out;
};

/** The wires change: chip select, clock, data in. */
void eeprom93_write(struct eeprom93 *e, const uint16_t words[EEPROM93_WORDS], bool select,
                    bool clock, bool in);

/** Data out: a bit, or "ready". */
bool eeprom93_read(const struct eeprom93 *e);

#endif
