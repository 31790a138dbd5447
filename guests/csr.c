/* CSRs (Privileged chapters 2 to 4, Sstc, Unprivileged 9 to 11): access rules and WARL values. */
#include "guests/cpu.h"
#include "guests/csr.h"

#define COUNTER_BITS(h) ((h)->priv == PRIV_U ? (h)->mcounteren & (h)->scounteren : (h)->mcounteren)
#define ENVCFG_WRITABLE (MENVCFG_CBZE | 1) /* FIOM: device order needs no fence here */
#define MISA (2ULL << 62 | 0x14112d)       /* RV64 I M A F D C S U */
#define IRQ_S (BIT(IRQ_SSI) | BIT(IRQ_STI) | BIT(IRQ_SEI))
#define IRQ_M (BIT(IRQ_MSI) | BIT(IRQ_MTI) | BIT(IRQ_MEI))
/* Every exception that exists, except an ecall from M (3.1.8). */
#define EDELEG_WRITABLE 0xb3ffULL
#define SSTATUS_WRITABLE                                                                           \
    (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR)
#define SSTATUS_READABLE (SSTATUS_WRITABLE | MSTATUS_SD | (3ULL << 32))
#define MSTATUS_WRITABLE                                                                           \
    (SSTATUS_WRITABLE | MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP | MSTATUS_MPRV | MSTATUS_TVM |    \
     MSTATUS_TW | MSTATUS_TSR)

/* Registers that are a field of the hart with some writable bits, and nothing else. */
static const struct plain {
    uint16_t number;
    uint16_t offset;
    uint64_t writable;
} plain[] = {
#define PLAIN(number, member, writable) {number, offsetof(struct hart, member), writable}
    PLAIN(CSR_SCOUNTEREN, scounteren, UINT32_MAX),
    PLAIN(CSR_SENVCFG, senvcfg, ENVCFG_WRITABLE),
    PLAIN(CSR_SSCRATCH, sscratch, UINT64_MAX),
    PLAIN(CSR_SEPC, sepc, ~1ULL),
    PLAIN(CSR_SCAUSE, scause, UINT64_MAX),
    PLAIN(CSR_STVAL, stval, UINT64_MAX),
    PLAIN(CSR_MEDELEG, medeleg, EDELEG_WRITABLE),
    PLAIN(CSR_MIDELEG, mideleg, IRQ_S),
    PLAIN(CSR_MIE, mie, IRQ_S | IRQ_M),
    PLAIN(CSR_MCOUNTEREN, mcounteren, UINT32_MAX),
    PLAIN(CSR_MSCRATCH, mscratch, UINT64_MAX),
    PLAIN(CSR_MEPC, mepc, ~1ULL),
    PLAIN(CSR_MCAUSE, mcause, UINT64_MAX),
    PLAIN(CSR_MTVAL, mtval, UINT64_MAX),
    PLAIN(CSR_STVEC, stvec, ~2ULL),
    PLAIN(CSR_MTVEC, mtvec, ~2ULL),
    PLAIN(CSR_STIMECMP, stimecmp, UINT64_MAX),
    PLAIN(CSR_SATP, satp, UINT64_MAX),
    PLAIN(CSR_MENVCFG, menvcfg, ENVCFG_WRITABLE | MENVCFG_STCE),
    PLAIN(CSR_MCOUNTINHIBIT, mcountinhibit, UINT32_MAX & ~2ULL),
#undef PLAIN
};

static const struct plain *plain_find(unsigned n)
{
    for (unsigned i = 0; i < ARRAY_LEN(plain); i++)
        if (plain[i].number == n)
            return &plain[i];
    return NULL;
}

static uint64_t *plain_field(struct hart *h, const struct plain *p)
{
    return (uint64_t *)(void *)((char *)h + p->offset);
}

static bool in_range(unsigned n, unsigned first, unsigned last)
{
    return n >= first && n <= last;
}

/* mcycle and minstret count alike: the offset is the value while inhibited (3.1.12). */
static uint64_t counter(const struct hart *h, unsigned bit, int64_t offset)
{
    return (uint64_t)offset + (h->mcountinhibit & BIT(bit) ? 0 : h->icount);
}

/* A write takes effect after the instruction, which does not count itself any more (9.1). */
static void counter_write(struct hart *h, unsigned bit, int64_t *offset, uint64_t v)
{
    *offset = (int64_t)(v - (h->mcountinhibit & BIT(bit) ? 0 : h->icount + 1));
}

static void inhibit_write(struct hart *h, uint64_t v)
{
    uint64_t cycle, instret;

    h->icount++; /* the values that the next instruction would read */
    cycle = counter(h, 0, h->mcycle_offset);
    instret = counter(h, 2, h->minstret_offset);
    h->icount--;
    h->mcountinhibit = v;
    counter_write(h, 0, &h->mcycle_offset, cycle);
    counter_write(h, 2, &h->minstret_offset, instret);
}

static uint64_t mstatus_read(const struct hart *h)
{
    return h->mstatus | ((h->mstatus & MSTATUS_FS) == MSTATUS_FS ? MSTATUS_SD : 0);
}

/* Registers that are computed, or views of others. False: there is no such CSR. */
static bool special_read(struct hart *h, unsigned n, uint64_t *v)
{
    *v = 0;
    switch (n) {
    case CSR_FFLAGS: *v = h->fflags; return true;
    case CSR_FRM: *v = h->frm; return true;
    case CSR_FCSR: *v = h->fflags | (uint64_t)h->frm << 5; return true;
    case CSR_SSTATUS: *v = mstatus_read(h) & SSTATUS_READABLE; return true;
    case CSR_SIE: *v = h->mie & h->mideleg; return true;
    case CSR_SIP: *v = h->mip & h->mideleg; return true;
    case CSR_MSTATUS: *v = mstatus_read(h); return true;
    case CSR_MISA: *v = MISA; return true;
    case CSR_MIP: *v = h->mip; return true;
    case CSR_MHARTID: *v = h->id; return true;
    case CSR_CYCLE:
    case CSR_MCYCLE: *v = counter(h, 0, h->mcycle_offset); return true;
    case CSR_INSTRET:
    case CSR_MINSTRET: *v = counter(h, 2, h->minstret_offset); return true;
    case CSR_TIME: *v = h->env->mtime ? h->env->mtime(h) : 0; return true;
    case CSR_MSECCFG: /* no Smepmp: zero, as are the identities (3.1.2 to 3.1.4, 3.1.17) */
    case CSR_MVENDORID:
    case CSR_MARCHID:
    case CSR_MIMPID:
    case CSR_MCONFIGPTR: return true;
    default: break;
    }
    if (in_range(n, CSR_PMPCFG0, CSR_PMPCFG15) && !(n & 1)) {
        *v = n < CSR_PMPCFG0 + 4 ? pmp_read_cfg(h, n - CSR_PMPCFG0) : 0;
        return true;
    }
    if (in_range(n, CSR_PMPADDR0, CSR_PMPADDR63)) {
        *v = n < CSR_PMPADDR0 + 16 ? h->pmpaddr[n - CSR_PMPADDR0] : 0;
        return true;
    }
    return in_range(n, CSR_TIME + 2, CSR_HPMCOUNTER31) ||
           in_range(n, CSR_MHPMCOUNTER3, CSR_MHPMCOUNTER31) ||
           in_range(n, CSR_MHPMEVENT3, CSR_MHPMEVENT31);
}

static bool csr_read(struct hart *h, unsigned n, uint64_t *v)
{
    const struct plain *p = plain_find(n);

    if (!p)
        return special_read(h, n, v);
    *v = *plain_field(h, p);
    return true;
}

bool hart_csr_peek(struct hart *h, unsigned csr, uint64_t *value)
{
    return csr_read(h, csr, value);
}

/* Where interrupts may have become pending or enabled: they are sampled between blocks. */
static enum csr_status leave_if_pending(const struct hart *h)
{
    return hart_has_wakeup(h) ? CSR_LEAVE : CSR_OK;
}

static enum csr_status mstatus_write(struct hart *h, uint64_t v, uint64_t writable)
{
    uint64_t old = h->mstatus, mpp = (v & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT;

    if (mpp == 2) /* WARL: there is no such mode */
        writable &= ~MSTATUS_MPP;
    h->mstatus = (old & ~writable) | (v & writable);
    if ((old ^ h->mstatus) & MSTATUS_MXR)
        tlb_flush(h);
    tlb_select(h);
    return (old ^ h->mstatus) & MSTATUS_MXR ? CSR_LEAVE : leave_if_pending(h);
}

/* Modes that do not exist leave satp as it is (4.1.11). */
static enum csr_status satp_write(struct hart *h, uint64_t v)
{
    unsigned mode = (unsigned)(v >> 60);

    if (mode == 0 || mode == 8 || mode == 9) {
        h->satp = v;
        tlb_flush(h);
    }
    return CSR_LEAVE;
}

/* The machine keeps STIP and its timer in step with stimecmp (Sstc 3). */
static enum csr_status timer_changed(struct hart *h)
{
    if (!(h->menvcfg & MENVCFG_STCE))
        h->mip &= ~BIT(IRQ_STI);
    else if (h->env->mtime)
        hart_set_pending(h, IRQ_STI, h->env->mtime(h) >= h->stimecmp);
    if (h->env->stimecmp_changed) {
        h->env->stimecmp_changed(h);
        h->caches->synced = true;
    }
    return CSR_LEAVE;
}

static enum csr_status menvcfg_write(struct hart *h, uint64_t v)
{
    uint64_t changed = v ^ h->menvcfg;

    h->menvcfg = v;
    tlb_select(h); /* CBO.ZERO may have become possible */
    return changed & MENVCFG_STCE ? timer_changed(h) : CSR_OK;
}

static enum csr_status mip_write(struct hart *h, uint64_t v, uint64_t writable)
{
    if (h->menvcfg & MENVCFG_STCE)
        writable &= ~BIT(IRQ_STI);
    if (writable & BIT(IRQ_SEI)) {
        h->sei_soft = v & BIT(IRQ_SEI);
        hart_set_pending(h, IRQ_SEI, h->sei_line);
        writable &= ~BIT(IRQ_SEI);
    }
    h->mip = (h->mip & ~writable) | (v & writable);
    return leave_if_pending(h);
}

static enum csr_status plain_write(struct hart *h, const struct plain *p, uint64_t v)
{
    v &= p->writable;
    switch (p->number) {
    case CSR_SATP: return satp_write(h, v);
    case CSR_MENVCFG: return menvcfg_write(h, v);
    case CSR_MCOUNTINHIBIT: inhibit_write(h, v); return CSR_OK;
    default: *plain_field(h, p) = v; break;
    }
    if (p->number == CSR_SENVCFG)
        tlb_select(h);
    if (p->number == CSR_STIMECMP)
        return timer_changed(h);
    return p->number == CSR_MIE || p->number == CSR_MIDELEG ? leave_if_pending(h) : CSR_OK;
}

static enum csr_status fcsr_write(struct hart *h, unsigned n, uint64_t v)
{
    if (n != CSR_FRM)
        h->fflags = v & 31;
    if (n != CSR_FFLAGS)
        h->frm = (n == CSR_FRM ? v : v >> 5) & 7;
    h->mstatus |= MSTATUS_FS;
    return CSR_OK;
}

static enum csr_status special_write(struct hart *h, unsigned n, uint64_t v)
{
    switch (n) {
    case CSR_FFLAGS:
    case CSR_FRM:
    case CSR_FCSR: return fcsr_write(h, n, v);
    case CSR_SSTATUS: return mstatus_write(h, v, SSTATUS_WRITABLE);
    case CSR_MSTATUS: return mstatus_write(h, v, MSTATUS_WRITABLE);
    case CSR_SIE: h->mie = (h->mie & ~h->mideleg) | (v & h->mideleg); return leave_if_pending(h);
    case CSR_SIP: return mip_write(h, v, h->mideleg & BIT(IRQ_SSI));
    case CSR_MIP: return mip_write(h, v, IRQ_S);
    case CSR_MCYCLE: counter_write(h, 0, &h->mcycle_offset, v); return CSR_OK;
    case CSR_MINSTRET: counter_write(h, 2, &h->minstret_offset, v); return CSR_OK;
    default: break;
    }
    if (in_range(n, CSR_PMPCFG0, CSR_PMPCFG0 + 3)) {
        pmp_write_cfg(h, n - CSR_PMPCFG0, v);
        return CSR_LEAVE;
    }
    if (in_range(n, CSR_PMPADDR0, CSR_PMPADDR0 + 15)) {
        pmp_write_addr(h, n - CSR_PMPADDR0, v);
        return CSR_LEAVE;
    }
    return CSR_OK; /* read-only zero, WARL */
}

/* Rules beyond those that the number itself encodes. */
static bool accessible(const struct hart *h, unsigned n)
{
    if (in_range(n, CSR_FFLAGS, CSR_FCSR))
        return h->mstatus & MSTATUS_FS;
    if (in_range(n, CSR_CYCLE, CSR_HPMCOUNTER31)) /* 3.1.11, 4.1.5 */
        return h->priv == PRIV_M || (COUNTER_BITS(h) & BIT(n - CSR_CYCLE));
    if (n == CSR_SATP)
        return !(h->priv == PRIV_S && (h->mstatus & MSTATUS_TVM));
    if (n == CSR_STIMECMP) /* Sstc 2.1 */
        return h->priv == PRIV_M || ((h->menvcfg & MENVCFG_STCE) && (h->mcounteren & 2));
    return true;
}

/* Set and clear act on the software half of SEIP, not on the line's (3.1.9). */
static uint64_t modify_base(const struct hart *h, unsigned n, uint64_t old)
{
    if (n != CSR_MIP)
        return old;
    return (old & ~BIT(IRQ_SEI)) | (h->sei_soft ? BIT(IRQ_SEI) : 0);
}

enum csr_status csr_execute(struct hart *h, uint32_t bits, uint64_t rs1, uint64_t *rd)
{
    unsigned n = bits >> 20, op = bits >> 12 & 3;
    bool writes = op == 1 || (bits >> 15 & 31) != 0;
    const struct plain *p;
    uint64_t v;

    if ((enum priv)(n >> 8 & 3) > h->priv || (writes && n >> 10 == 3) || !accessible(h, n))
        return CSR_ILLEGAL;
    fp_sync(h);
    if (!csr_read(h, n, rd))
        return CSR_ILLEGAL;
    if (!writes)
        return CSR_OK;
    v = modify_base(h, n, *rd);
    v = op == 1 ? rs1 : op == 2 ? v | rs1 : v & ~rs1;
    p = plain_find(n);
    return p ? plain_write(h, p, v) : special_write(h, n, v);
}
