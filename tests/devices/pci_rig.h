/* A PCI card in a slot of a host, with no machine around: its registers, its line, its frames. */
#ifndef TESTS_DEVICES_PCI_RIG_H
#define TESTS_DEVICES_PCI_RIG_H

#include "rig.h"

#include "devices/nic.h"
#include "devices/pci_host.h"

#define PCI_RIG_LINE 32 /* INTA of slot 0; the card in slot 1 has line 33 */
#define CARD_LINE 33

extern struct rig rig;
extern struct pci_host host;
extern struct nic *nic;
extern struct vlan *lan;
extern const uint8_t own[ETH_ALEN]; /* the card's address */

/** A host with one card of a model, at 00:01.0, its BARs placed and everything enabled. */
void card_start(const char *model);
/** The same with more of a configuration; its address is replaced. */
void card_start_with(const char *model, struct nic_config c);
void card_finish(void);

/* Accesses by the processor, at absolute addresses. */
uint32_t config_read(unsigned devfn, unsigned at, unsigned size);
void config_write(unsigned devfn, unsigned at, uint32_t value, unsigned size);
uint64_t memory_read(uint64_t at, unsigned size);
void memory_write(uint64_t at, uint64_t value, unsigned size);
uint64_t io_read(uint64_t port, unsigned size);
void io_write(uint64_t port, uint64_t value, unsigned size);

/** A register of the card, behind its BAR `bar`. */
uint64_t card_read(unsigned bar, uint64_t offset, unsigned size);
void card_write(unsigned bar, uint64_t offset, uint64_t value, unsigned size);

/**
 * A clone of the card, of its model, in no slot; its cable is there or not. What its driver would
 * see is read by the handlers of its BARs. The caller destroys it.
 */
struct nic *card_clone(const char *model, bool up);
extern const uint8_t clones[ETH_ALEN]; /* its address */

/** A frame arrives: `len` bytes that count up, to `to`, of type 0x88b5. */
void card_receive(const uint8_t *to, uint32_t len);

/** The same bytes, into p. */
void card_fill(uint8_t *p, uint32_t len, const uint8_t *to);

#endif
