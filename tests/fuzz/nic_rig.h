/* A card with no machine around, for programs without cmocka: memory from 0 on, a host, a line. */
#ifndef TESTS_FUZZ_NIC_RIG_H
#define TESTS_FUZZ_NIC_RIG_H

#include "devices/isa.h"
#include "devices/nic.h"
#include "devices/pci_host.h"
#include "sim/sim.h"
#include "sim/vlan.h"

#define NIC_RAM (128u << 10) /* so small that any number may be an address */

/*
 * What one access, one event or one frame may cost: beyond, the card is taken for one that loops.
 * Frames that were held come in together when buffers are given: as many packets as the longest ring
 * has descriptors, 64 Ki, with two accesses and some hundred bytes each.
 */
#define NIC_MAX_DMA 400000u
#define NIC_MAX_BYTES (32u << 20)

struct nic_rig {
    struct actor actor;
    struct device_env env;
    struct dma dma;
    struct irq_sink sink;
    struct pci_host host;
    struct isa_bus isa;
    struct nic *nic;
    struct vlan *lan;
    uint8_t *ram;
    uint32_t dma_calls, dma_bytes; /* since nic_rig_begin */
};

/** A card of a model ("-mq" behind it: with four pairs of queues), enabled as firmware leaves it; `number` makes its names and its address. */
void nic_rig_init(struct nic_rig *r, struct sim *s, const char *model, unsigned number);
void nic_rig_finish(struct nic_rig *r);

/** A register behind BAR `bar`, or of the device where it is no PCI card; what no bus lets through
   is not done. */
uint64_t nic_rig_read(struct nic_rig *r, unsigned bar, uint64_t offset, unsigned size);
void nic_rig_write(struct nic_rig *r, unsigned bar, uint64_t offset, uint64_t value, unsigned size);
/** How many bytes of registers there are; 0: none. */
uint64_t nic_rig_size(const struct nic_rig *r, unsigned bar);

/** Let time pass, firing events. */
void nic_rig_advance(struct nic_rig *r, vtime_t to);
/** A frame arrives (borrowed). */
void nic_rig_receive(struct nic_rig *r, struct frame *f);
/** Make `r`, new, a clone of another. */
void nic_rig_clone(struct nic_rig *r, struct nic_rig *from);
/** Give up the frames that it sent. */
void nic_rig_forget(struct nic_rig *r);

#endif
