/* What a machine is made of; for the files that make, run and boot it. */
#ifndef GUESTS_MACHINE_INTERNAL_H
#define GUESTS_MACHINE_INTERNAL_H

#include "guests/boot.h"
#include "guests/hart.h"
#include "guests/machine.h"

struct board;

#define MACHINE_MAX_HARTS 8

/** SBI hart states (SBI 2.0, table 14). */
enum hsm_state { HSM_STARTED, HSM_STOPPED, HSM_START_PENDING, HSM_STOP_PENDING, HSM_SUSPENDED };

/** What the machine keeps for a hart beside the hart itself. */
struct machine_hart {
    struct machine *machine;
    struct event stimer;   /* stimecmp is reached */
    uint8_t hsm;           /* enum hsm_state; meaningful where the machine is the firmware */
    bool resume;           /* a non-retentive suspend: on waking, go on at resume_pc */
    uint64_t resume_pc, resume_opaque;
};

struct machine {
    struct actor actor;
    struct ram ram;
    struct bus bus;
    struct hart_env henv;
    struct hart *harts;
    struct machine_hart *slots; /* one per hart */
    unsigned n_harts;
    unsigned turn;          /* the hart that runs, or ran last */
    uint64_t mtime_seen;    /* several harts: `time` never goes back between them */

    struct device_env denv;
    struct dma dma;
    const struct board *board;
    void *board_state;      /* the board's own devices */
    struct device *devices; /* all, in the order of attachment */
    struct device **last_device;
    struct console *consoles[2];
    struct nic **nics;
    size_t n_nics;

    /* machine_trim.c: pages that only this guest holds, by number in RAM; the first `n_looked` of
       them were looked at before. Copied since all were looked at, and when that is due again. */
    uint32_t *own;
    uint32_t n_own, cap_own, n_looked, n_copied;
    uint64_t *given; /* bits by page number: given back before; NULL: none yet */
    uint32_t n_regretted; /* copied since the last look though they had been given back */
    vtime_t look_gap, look_again;
    uint32_t who; /* for guests/alike.h */

    struct boot boot;

    enum machine_power power;
    uint32_t power_code;
    bool request_pending;   /* the guest asked to stop or start again; see machine_run.c */
    enum power_request request;
    uint32_t request_code;
    uint64_t n_resets;
    bool no_reboot;         /* a reset stops it */
    struct event power_event; /* a control event */
    struct event birth;     /* of a clone: the start of its first run */
    uint64_t before_instructions, before_traps; /* what its original had done by then */
    void (*on_power)(void *opaque, struct machine *m);
    void *on_power_opaque;
};

/* --- machine_run.c: as an actor --- */

extern const struct actor_ops machine_actor_ops;

/** env->power: note what the guest asked; done when its instruction has ended. */
void machine_power(struct device_env *env, enum power_request what, uint32_t code);

/** Set every hart and device to its state after power-on, fill RAM, and be ready to start. */
void machine_start(struct machine *m);

/* --- machine_timer.c: mtime and stimecmp --- */

uint64_t machine_mtime(struct hart *h);
void machine_stimecmp_changed(struct hart *h);
/** mtime was written: every timer that compares with it moves. */
void machine_timers_moved(struct machine *m);
void machine_timer_init(struct machine *m, unsigned hart);

/* --- machine_trim.c --- */

void machine_trim_init(struct machine *m);
/** A shared page was replaced by the guest's own copy. */
void machine_page_copied(struct machine *m, uint64_t addr);
/** Share those of them that hold what others hold, if it is time to look; no hart may be running. */
void machine_trim(struct machine *m);
/** All of RAM is shared: what is written from here on is copied, and told anew. */
void machine_trim_shared(struct machine *m);
/** RAM is gone, and what was learnt of it: the guest starts again. */
void machine_trim_forget(struct machine *m);
void machine_trim_finish(struct machine *m);

/* --- machine_clone.c --- */

void machine_clone_init(struct machine *m);

/** Attach a device: its region (if any) to the bus, itself to the list. */
void machine_attach(struct machine *m, struct device *dev);

#endif
