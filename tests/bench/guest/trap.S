# An environment call from U-mode to the supervisor and back. A unit is one call and return.
# Machine mode delegates it, opens all memory to the lower modes, and gets the end as a call of S.
        .text
        .globl  bench
bench:
        addi    sp, sp, -16
        sd      ra, 0(sp)
        li      t0, -1
        csrw    pmpaddr0, t0        # a NAPOT region of everything, RWX
        li      t0, 0x1f
        csrw    pmpcfg0, t0
        li      t0, 1 << 8          # environment call from U
        csrw    medeleg, t0
        la      t0, done
        csrw    mtvec, t0
        la      t0, handler
        csrw    stvec, t0
        li      t0, 0x1800          # mstatus.MPP = U
        csrc    mstatus, t0
        la      t0, user
        csrw    mepc, t0
        mv      t1, a0
        mv      t3, a0
        li      a0, 0
        mret
user:   ecall
        addi    t1, t1, -1
        bnez    t1, user
        ecall                       # one more: the supervisor's count is over
        .align  2
handler:
        beq     a0, t3, 1f
        addi    a0, a0, 1
        csrr    t2, sepc
        addi    t2, t2, 4
        csrw    sepc, t2
        sret
1:      ecall                       # from S: not delegated
        .align  2
done:   ld      ra, 0(sp)
        addi    sp, sp, 16
        la      t0, trap
        csrw    mtvec, t0
        ret                         # in machine mode
