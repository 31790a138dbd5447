/* The machine as its own firmware: dispatch of SBI calls, and how harts begin (SBI 2.0). */
#include "guests/sbi.h"

static const struct sbi_table *const tables[] = {
    &sbi_base, &sbi_time, &sbi_remote, &sbi_hsm, &sbi_system, &sbi_legacy,
};

/* The legacy calls are the extensions 0 to 0xf: no function number, one result (chapter 5). */
#define LEGACY_LAST 0xf

static const struct sbi_row *row_find(uint64_t extension, uint64_t function)
{
    bool legacy = extension <= LEGACY_LAST;

    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct sbi_row *row = &tables[t]->rows[i];

            if (row->extension == extension && (legacy || row->function == function))
                return row;
        }
    }
    return NULL;
}

bool sbi_has(uint32_t extension)
{
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (size_t i = 0; i < tables[t]->n; i++)
            if (tables[t]->rows[i].extension == extension)
                return true;
    return false;
}

void sbi_ecall(struct hart *h)
{
    struct machine *m = container_of(h->env, struct machine, henv);
    /* EID and FID are 32-bit numbers in a7 and a6 (chapter 3). */
    uint32_t extension = (uint32_t)h->x[17], function = (uint32_t)h->x[16];
    const struct sbi_row *row = row_find(extension, function);
    struct sbi_call call = {.machine = m, .hart = h, .arg = &h->x[10]};
    int64_t result;

    m->actor.now = MAX(m->actor.now, hart_now(h));
    result = row ? row->fn(&call) : SBI_ERR_NOT_SUPPORTED;
    h->x[10] = (uint64_t)result;
    if (extension > LEGACY_LAST)
        h->x[11] = call.value;
}

int64_t sbi_each_hart(struct sbi_call *c, uint64_t mask, uint64_t base,
                      void (*fn)(struct hart *target))
{
    struct machine *m = c->machine;
    uint64_t all = (1ULL << m->n_harts) - 1;

    if (base == UINT64_MAX) {
        mask = all;
    } else {
        if (base >= m->n_harts || (mask & ~(all >> base)) != 0)
            return mask == 0 ? SBI_SUCCESS : SBI_ERR_INVALID_PARAM;
        mask <<= base;
    }
    for (unsigned i = 0; i < m->n_harts; i++)
        if (mask >> i & 1)
            fn(&m->harts[i]);
    return SBI_SUCCESS;
}

/* --- how a hart begins --- */

#define MSTATUS_SIE (1ULL << 1)
#define MSTATUS_FS (3ULL << 13)
#define MENVCFG_STCE (1ULL << 63)
#define MENVCFG_CBZE (1ULL << 7)
#define MENVCFG_CBCFE (1ULL << 6)
#define MENVCFG_CBIE (3ULL << 4)

/* Every exception that a supervisor can cause or sees of its programs; not its own ecall. */
#define DELEGATED_EXCEPTIONS 0xb1ffULL
#define DELEGATED_INTERRUPTS ((1ULL << IRQ_SSI) | (1ULL << IRQ_STI) | (1ULL << IRQ_SEI))
#define COUNTERS_CY_TM_IR 7

void hart_enter_supervisor(struct hart *h, uint64_t pc, uint64_t opaque)
{
    h->pc = pc;
    h->priv = PRIV_S;
    h->satp = 0;
    h->mstatus &= ~MSTATUS_SIE;
    h->x[10] = h->id;
    h->x[11] = opaque;
    hart_flush(h);
}

void sbi_start(struct hart *h, uint64_t pc, uint64_t opaque, bool first)
{
    struct machine *m = container_of(h->env, struct machine, henv);

    h->medeleg = DELEGATED_EXCEPTIONS;
    h->mideleg = DELEGATED_INTERRUPTS;
    h->mcounteren = COUNTERS_CY_TM_IR;
    h->scounteren = COUNTERS_CY_TM_IR; /* Linux expects it: its vDSO reads the time in U-mode */
    h->menvcfg = MENVCFG_STCE | MENVCFG_CBZE | MENVCFG_CBCFE | MENVCFG_CBIE;
    h->mstatus |= MSTATUS_FS;
    h->stimecmp = UINT64_MAX;
    h->pmpaddr[0] = UINT64_MAX >> 10; /* one NAPOT region: everything (Privileged 3.7.1) */
    h->pmpcfg[0] = 0x1f;
    h->stopped = !first;
    m->slots[h->id].hsm = first ? HSM_STARTED : HSM_STOPPED;
    machine_stimecmp_changed(h);
    if (first)
        hart_enter_supervisor(h, pc, opaque);
    else
        hart_flush(h);
}
