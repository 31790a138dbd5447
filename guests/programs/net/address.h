/* Addresses as text, and words and numbers out of lines. */
#ifndef PROGRAMS_NET_ADDRESS_H
#define PROGRAMS_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lwip/ip4_addr.h"

enum { ADDRESS_TEXT = 16, MAC_TEXT = 18 };

/* Parsers take what they understand from the front of `*s`, move `*s` behind it and
   return true; or return false with `*s` where it was. */
bool parse_char(const char **s, char c);
bool parse_word(const char **s, const char *word);
bool parse_number(const char **s, uint64_t most, uint64_t *value);
/* A decimal fraction, in units of 1/`scale`: "0.25" with scale 1000 is 250. */
bool parse_decimal(const char **s, uint64_t scale, uint64_t *value);
bool parse_address(const char **s, ip4_addr_t *a);
/* ADDRESS/LENGTH */
bool parse_prefix(const char **s, ip4_addr_t *a, ip4_addr_t *mask);

/* The whole text is an address. */
bool address_is(const char *text, ip4_addr_t *a);

void address_print(char to[ADDRESS_TEXT], const ip4_addr_t *a);
void mac_print(char to[MAC_TEXT], const uint8_t mac[6]);
unsigned prefix_of(const ip4_addr_t *mask);
void prefix_to_mask(unsigned len, ip4_addr_t *mask);

#endif
