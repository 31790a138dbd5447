/* System instructions: Zicsr (chapter 9), Zifencei (3), and Privileged 3.3 and 4.2. */
#include "guests/exec.h"

HANDLER(illegal)
{
    sync_before(PASS);
    trap_illegal(h);
    LEAVE();
}

/* Returns whether the block is to be left. */
static __attribute__((noinline)) bool csr_step(HANDLER_ARGS, uint64_t source)
{
    uint64_t old = 0;
    enum csr_status st;

    sync_before(PASS);
    st = csr_execute(h, (uint32_t)op->imm, source, &old);
    if (st == CSR_ILLEGAL) {
        trap_illegal(h);
        return true;
    }
    RD = old;
    if (st == CSR_LEAVE)
        sync_after(PASS);
    return st == CSR_LEAVE;
}

#define CSR(name, source)                                                                          \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        if (csr_step(PASS, source))                                                                \
            LEAVE();                                                                               \
        NEXT();                                                                                    \
    }

CSR(csrrw, RS1)
CSR(csrrs, RS1)
CSR(csrrc, RS1)
CSR(csrrwi, op->rs1)
CSR(csrrsi, op->rs1)
CSR(csrrci, op->rs1)

/* A store is visible to fetch at once, so all that is left to do is to end the block. */
HANDLER(fence_i)
{
    sync_after(PASS);
    LEAVE();
}

/* The call sees the pc and count of the ecall itself; it may send the hart elsewhere (HSM). */
static void sbi_call(HANDLER_ARGS)
{
    uint64_t pc = h->pc;

    fp_sync(h);
    h->env->actor->now = hart_now(h);
    h->caches->synced = true;
    h->env->sbi_ecall(h);
    if (h->pc == pc)
        sync_after(PASS);
    else
        h->icount++;
}

HANDLER(ecall)
{
    sync_before(PASS);
    if (h->priv == PRIV_S && h->env->sbi_ecall)
        sbi_call(PASS);
    else
        trap_raise(h, h->priv == PRIV_U   ? CAUSE_ECALL_U
                      : h->priv == PRIV_S ? CAUSE_ECALL_S
                                          : CAUSE_ECALL_M, 0);
    LEAVE();
}

HANDLER(ebreak)
{
    sync_before(PASS);
    trap_raise(h, CAUSE_BREAKPOINT, h->pc);
    LEAVE();
}

HANDLER(mret)
{
    sync_before(PASS);
    if (h->priv != PRIV_M) {
        trap_illegal(h);
        LEAVE();
    }
    h->icount++;
    trap_mret(h);
    LEAVE();
}

HANDLER(sret)
{
    sync_before(PASS);
    if (h->priv == PRIV_U || (h->priv == PRIV_S && (h->mstatus & MSTATUS_TSR))) {
        trap_illegal(h);
        LEAVE();
    }
    h->icount++;
    trap_sret(h);
    LEAVE();
}

/* With TW the time that WFI may take below M is none (Privileged 3.1.6.5); U never waits. */
HANDLER(wfi)
{
    sync_before(PASS);
    if (h->priv == PRIV_U || (h->priv == PRIV_S && (h->mstatus & MSTATUS_TW))) {
        trap_illegal(h);
        LEAVE();
    }
    sync_after(PASS);
    h->wfi = !hart_has_wakeup(h);
    LEAVE();
}

HANDLER(sfence_vma)
{
    sync_before(PASS);
    if (h->priv == PRIV_U || (h->priv == PRIV_S && (h->mstatus & MSTATUS_TVM))) {
        trap_illegal(h);
        LEAVE();
    }
    sync_after(PASS);
    if (op->rs1 == 0)
        tlb_flush(h);
    else
        tlb_flush_page(h, RS1);
    LEAVE();
}

op_fn *const op_handlers[OP_COUNT] = {
#define OP(name, match, mask, format) [OP_##name] = op_##name,
#include "guests/ops.h"
#undef OP
    [OP_illegal] = op_illegal,
};
