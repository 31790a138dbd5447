/* Traps: exceptions and interrupts in (Privileged 3.1.6 to 3.1.9, 4.1), MRET and SRET out. */
#include "guests/cpu.h"

#define CAUSE_INTERRUPT (1ULL << 63)

/* Direct, or vectored for interrupts: base + 4 * cause (3.1.7). */
static uint64_t vector(uint64_t tvec, uint64_t cause)
{
    uint64_t base = tvec & ~3ULL;

    return (tvec & 1) && (cause & CAUSE_INTERRUPT) ? base + 4 * (cause & 63) : base;
}

static void enter_s(struct hart *h, uint64_t cause, uint64_t tval)
{
    uint64_t st = h->mstatus;

    h->sepc = h->pc;
    h->scause = cause;
    h->stval = tval;
    st &= ~(MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_SIE);
    if (h->mstatus & MSTATUS_SIE)
        st |= MSTATUS_SPIE;
    if (h->priv == PRIV_S)
        st |= MSTATUS_SPP;
    h->mstatus = st;
    h->priv = PRIV_S;
    h->pc = vector(h->stvec, cause);
}

static void enter_m(struct hart *h, uint64_t cause, uint64_t tval)
{
    uint64_t st = h->mstatus;

    h->mepc = h->pc;
    h->mcause = cause;
    h->mtval = tval;
    st &= ~(MSTATUS_MPIE | MSTATUS_MPP | MSTATUS_MIE);
    if (h->mstatus & MSTATUS_MIE)
        st |= MSTATUS_MPIE;
    st |= (uint64_t)h->priv << MSTATUS_MPP_SHIFT;
    h->mstatus = st;
    h->priv = PRIV_M;
    h->pc = vector(h->mtvec, cause);
}

static void enter(struct hart *h, uint64_t cause, uint64_t tval, uint64_t delegated)
{
    h->n_traps++;
    if (h->priv != PRIV_M && (delegated & BIT(cause & 63)))
        enter_s(h, cause, tval);
    else
        enter_m(h, cause, tval);
    tlb_select(h);
}

/*
 * An exception takes an instruction's time, or a guest whose handler faults would never come to
 * the end of its budget; minstret does not count it (3.3.1).
 */
void trap_raise(struct hart *h, enum cause cause, uint64_t tval)
{
    h->icount++;
    if (!(h->mcountinhibit & 4))
        h->minstret_offset--;
    enter(h, (uint64_t)cause, tval, h->medeleg);
}

void trap_illegal(struct hart *h)
{
    trap_raise(h, CAUSE_ILLEGAL, mem_insn_bits(h));
}

/* The order of 3.1.9 among those that one mode takes; an M-mode one comes first. */
static int first_of(uint64_t irqs)
{
    static const uint8_t order[] = {IRQ_MEI, IRQ_MSI, IRQ_MTI, IRQ_SEI, IRQ_SSI, IRQ_STI};

    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        if (irqs & BIT(order[i]))
            return order[i];
    return -1;
}

void trap_interrupt(struct hart *h)
{
    uint64_t pending = h->mip & h->mie, m = 0, s = 0;
    int irq;

    if (LIKELY(!pending))
        return;
    if (h->priv != PRIV_M || (h->mstatus & MSTATUS_MIE))
        m = pending & ~h->mideleg;
    if (h->priv == PRIV_U || (h->priv == PRIV_S && (h->mstatus & MSTATUS_SIE)))
        s = pending & h->mideleg;
    irq = first_of(m ? m : s);
    if (irq >= 0)
        enter(h, CAUSE_INTERRUPT | (uint64_t)irq, 0, h->mideleg);
}

void trap_mret(struct hart *h)
{
    uint64_t st = h->mstatus & ~(MSTATUS_MIE | MSTATUS_MPP);

    h->priv = (enum priv)((h->mstatus & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT);
    if (st & MSTATUS_MPIE)
        st |= MSTATUS_MIE;
    if (h->priv != PRIV_M)
        st &= ~MSTATUS_MPRV;
    h->mstatus = st | MSTATUS_MPIE;
    h->pc = h->mepc;
    tlb_select(h);
}

void trap_sret(struct hart *h)
{
    uint64_t st = h->mstatus & ~(MSTATUS_SIE | MSTATUS_SPP | MSTATUS_MPRV);

    h->priv = h->mstatus & MSTATUS_SPP ? PRIV_S : PRIV_U;
    if (st & MSTATUS_SPIE)
        st |= MSTATUS_SIE;
    h->mstatus = st | MSTATUS_SPIE;
    h->pc = h->sepc;
    tlb_select(h);
}
