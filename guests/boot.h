/* Booting: which images a machine starts, where they lie, and in what state its harts begin. */
#ifndef GUESTS_BOOT_H
#define GUESTS_BOOT_H

#include "guests/loader.h"

struct machine;
struct machine_config;

/** Where a hart begins, and in which mode. */
enum boot_mode {
    BOOT_MACHINE,    /* in M-mode, all harts: bare metal, or firmware of the user's */
    BOOT_SUPERVISOR, /* in S-mode, hart 0: the machine is the SBI firmware */
};

/** The plan: made once, carried out at every start. */
struct boot {
    enum boot_mode mode;
    bool has_bios, has_kernel;
    struct image bios, kernel;
    struct blob *initrd;
    uint64_t initrd_start, initrd_end; /* 0, 0: none */
    uint8_t *dtb;
    size_t dtb_len;
    uint64_t dtb_at;
    uint64_t info_at; /* struct fw_dynamic_info for the firmware */
    uint64_t entry;
};

/**
 * Read the images a configuration names and find a place for each: nothing overlaps, nothing
 * leaves RAM. Where firmware goes, at the RAM's base; a kernel 2 MiB above, or where it says;
 * the initrd where QEMU puts it, or if that is too high, straight after the kernel. All
 * sentences that can be found are added to err.
 */
bool boot_plan(struct machine *m, const struct machine_config *c, struct err *err);

/** Fill RAM, which is zero, and put the harts, which are reset, where they begin. */
void boot_start(struct machine *m);

void boot_finish(struct boot *b);

#endif
