/* A machine: RAM, harts, a board of devices; as an actor, a guest. */
#ifndef GUESTS_MACHINE_H
#define GUESTS_MACHINE_H

#include "devices/nic.h"
#include "sim/console.h"
#include "sim/err.h"
#include "sim/sim.h"

struct machine;
struct ram;

struct machine_disk {
    const char *path;
    bool writable; /* write through to the file; otherwise a run never changes it */
};

struct machine_nic {
    const char *model;  /* a row of nic_models */
    const char *name;   /* "eth0" */
    struct nic_config config;
};

/** What a topology asks for; strings are borrowed until machine_create returns. */
struct machine_config {
    const char *board;   /* "virt"; NULL for it */
    uint64_t ram_bytes;  /* a multiple of 4 KiB */
    unsigned harts;      /* 1..8 */
    unsigned mips;       /* instructions per virtual microsecond and hart; 1000 = 1 ns each */
    const char *kernel;  /* ELF, Linux Image (also gzip, zstd or EFI zboot), flat binary; or NULL */
    const char *initrd;
    const char *append;  /* command line */
    const char *bios;    /* NULL: the machine is its own SBI; "none": start the kernel in M-mode */
    const char *dtb;     /* NULL: the board makes its own */
    int64_t epoch_ns;    /* the RTC at virtual time 0, ns since 1970 */
    bool virtio_legacy;  /* for the devices that say nothing */
    bool no_reboot;      /* a guest that resets itself stops instead */
    uint32_t clone_number; /* not 0: it waits to become a clone, its original's number so many */
    const struct machine_disk *disks;
    size_t n_disks;
    const struct machine_nic *nics;
    size_t n_nics;
    bool virtio_console; /* hvc0 beside the UART: console 1 */
    const char *file;    /* where the topology says so, for errors */
    int line;
};

/** Sensible defaults in every field: 128 MiB, 1 hart, 1000 mips. */
void machine_config_init(struct machine_config *c);

/**
 * Make a guest, ready to start at the engine's now; or, with clone_number, one that waits for
 * machine_clone. NULL with sentences in err. Its actor is
 * named `name`, its consoles "name" and "name.console1", its NICs' ports "name.eth0".
 */
struct machine *machine_create(struct sim *sim, const char *name, const struct machine_config *c,
                               struct err *err);
void machine_destroy(struct machine *m);

/**
 * Make a machine that waits a clone of another, at a barrier, by a control event: from now on it
 * has the harts, RAM and devices of that one as they are, and its clock. It shares
 * every page until either writes it. Its own are its name, its NICs' addresses, what its devices
 * draw at random, and its consoles; nothing that was on the way to the original's NICs and
 * consoles reaches it. Its first run begins by telling its devices' drivers that something
 * has changed. The original goes on as if nothing had happened.
 *
 * Both were made alike: equal RAM, harts, mips, devices and disks; NICs of equal models and
 * offers. Anything else is the caller's mistake: assert.
 */
void machine_clone(struct machine *m, struct machine *original);

struct actor *machine_actor(struct machine *m);
const struct ram *machine_ram(const struct machine *m);         /* to look at */
struct console *machine_console(struct machine *m, unsigned n); /* 0: the UART; NULL: none */
struct nic *machine_nic(struct machine *m, unsigned n);         /* NULL: no such */

/** MACHINE_WAITING: to become a clone. */
enum machine_power { MACHINE_RUNNING, MACHINE_OFF, MACHINE_FAILED, MACHINE_WAITING };

/** Whether it still runs, and the code it stopped with. */
enum machine_power machine_power_state(const struct machine *m, uint32_t *code);

static inline bool machine_stopped(const struct machine *m)
{
    enum machine_power p = machine_power_state(m, NULL);

    return p == MACHINE_OFF || p == MACHINE_FAILED;
}

/** Called at the barrier after it stopped; for exit statuses and tests. */
void machine_on_power(struct machine *m, void (*fn)(void *opaque, struct machine *m),
                      void *opaque);

struct machine_stats {
    uint64_t instructions; /* retired, all harts; by a clone itself, not by its original */
    uint64_t traps;
    uint64_t private_bytes; /* pages it alone holds */
    uint64_t host_bytes;    /* those and its tables and caches */
};
void machine_stats(const struct machine *m, struct machine_stats *st);

/** pc and integer registers of a hart, for people and tests; x[0] is 0. */
void machine_registers(const struct machine *m, unsigned hart, uint64_t *pc, uint64_t x[32]);

/** State of harts, RAM and devices folded into a hash: equal runs have equal ones. */
uint64_t machine_fingerprint(const struct machine *m);

/** Readable dump of the devices' and harts' fields. */
void machine_dump(const struct machine *m, FILE *to);

/**
 * Write a line for each instruction that it executes from now on to `to`, which stays the caller's; NULL:
 * stop. What the machine does is not changed by it.
 */
void machine_trace(struct machine *m, FILE *to);

#endif
