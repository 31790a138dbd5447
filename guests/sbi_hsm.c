/* SBI calls: hart state management, by which a supervisor starts and stops harts (chapter 9). */
#include "guests/sbi.h"

#define EXT_HSM 0x48534d

#define SUSPEND_RETENTIVE 0x00000000u
#define SUSPEND_NON_RETENTIVE 0x80000000u

static struct machine_hart *slot_of(struct sbi_call *c, uint64_t hart)
{
    return hart < c->machine->n_harts ? &c->machine->slots[hart] : NULL;
}

/* An address a hart can begin at: RAM, at an instruction's alignment. */
static bool can_begin(struct sbi_call *c, uint64_t addr)
{
    return (addr & 1) == 0 && ram_contains(&c->machine->ram, addr, 2);
}

static int64_t hart_start(struct sbi_call *c)
{
    struct machine_hart *slot = slot_of(c, c->arg[0]);
    struct hart *target;

    if (!slot)
        return SBI_ERR_INVALID_PARAM;
    if (slot->hsm != HSM_STOPPED)
        return SBI_ERR_ALREADY_AVAILABLE;
    if (!can_begin(c, c->arg[1]))
        return SBI_ERR_INVALID_ADDRESS;
    target = &c->machine->harts[c->arg[0]];
    hart_enter_supervisor(target, c->arg[1], c->arg[2]);
    target->wfi = false;
    target->stopped = false;
    slot->hsm = HSM_START_PENDING; /* until its turn comes */
    return SBI_SUCCESS;
}

static int64_t hart_stop(struct sbi_call *c)
{
    struct machine_hart *slot = slot_of(c, c->hart->id);

    slot->hsm = HSM_STOPPED;
    c->hart->stopped = true;
    sbi_set_timer(c->hart, UINT64_MAX);
    return SBI_ERR_FAILED; /* not seen: it starts anew, elsewhere */
}

static int64_t hart_get_status(struct sbi_call *c)
{
    struct machine_hart *slot = slot_of(c, c->arg[0]);

    if (!slot)
        return SBI_ERR_INVALID_PARAM;
    c->value = slot->hsm;
    return SBI_SUCCESS;
}

/* Types that are reserved, or platform-specific and not implemented, are one error (9.4). */
static int64_t hart_suspend(struct sbi_call *c)
{
    struct machine_hart *slot = slot_of(c, c->hart->id);
    uint32_t type = (uint32_t)c->arg[0];

    if (type != SUSPEND_RETENTIVE && type != SUSPEND_NON_RETENTIVE)
        return SBI_ERR_INVALID_PARAM;
    if (type == SUSPEND_NON_RETENTIVE) {
        if (!can_begin(c, c->arg[1]))
            return SBI_ERR_INVALID_ADDRESS;
        slot->resume = true;
        slot->resume_pc = c->arg[1];
        slot->resume_opaque = c->arg[2];
    }
    slot->hsm = HSM_SUSPENDED;
    c->hart->wfi = true;
    return SBI_SUCCESS;
}

static const struct sbi_row hsm_rows[] = {
    {EXT_HSM, 0, hart_start},
    {EXT_HSM, 1, hart_stop},
    {EXT_HSM, 2, hart_get_status},
    {EXT_HSM, 3, hart_suspend},
};
const struct sbi_table sbi_hsm = {hsm_rows, ARRAY_LEN(hsm_rows)};
