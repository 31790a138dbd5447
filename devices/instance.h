/* The instance device: which machine this is, for programs that may wake up in a clone. */
#ifndef DEVICES_INSTANCE_H
#define DEVICES_INSTANCE_H

#include "devices/device.h"

#define INSTANCE_SIZE 0x2000
#define INSTANCE_PAGE 0x1000 /* where the second page, and its registers, begin */
#define INSTANCE_GENID 16    /* bytes of a generation identifier */
#define INSTANCE_NAME 64     /* bytes for the name, zeroes after it */

/**
 * Two pages, all of it to be read only, in accesses of any size:
 *
 *     0x0000  16  the VM generation ID (device tree: "microsoft,vmgenid"): a number that no other
 *                 machine of the run has. When the machine becomes a clone it changes, and an
 *                 interrupt says so.
 *     0x1000   4  "lani"                         (device tree: "lanarium,instance")
 *     0x1004   4  version of these registers: 1
 *     0x1008   4  the clone's number, from 1 in the order of declaration; 0: no clone
 *     0x100c   4  generations: how many times it was cloned on its way here
 *     0x1010   4  length of the name
 *     0x1040  64  the machine's name
 *
 * They are two pages so that a driver can have the first for itself and other programs the second.
 */
struct instance {
    struct device dev;
    uint8_t genid[INSTANCE_GENID];
    char name[INSTANCE_NAME];
    uint32_t number;
    uint32_t generations;
};

/** `machine` is its name, of which INSTANCE_NAME - 1 bytes can be read; `number` of the clone, or 0. */
void instance_init(struct instance *in, struct device_env *env, const char *name,
                   const char *machine, uint32_t number);

#endif
