# An environment call to the machine mode and back. A unit is one trap and return.
        .text
        .globl  bench
bench:
        la      t0, handler
        csrw    mtvec, t0
        mv      t1, a0
        li      a0, 0
1:      ecall
        addi    t1, t1, -1
        bnez    t1, 1b
        ret
        .align  2
handler:
        addi    a0, a0, 1
        csrr    t2, mepc
        addi    t2, t2, 4
        csrw    mepc, t2
        mret
