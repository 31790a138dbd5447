/*
 * The first instructions: entered in M-mode at the base of RAM with the hart's number
 * in a0 and the device tree's address in a1. One hart goes on; any other sleeps.
 */
    .file   "start.S"
    .section .text.start, "ax"
    .globl  _start
_start:
    /* Whichever hart comes first takes the ticket 0. The word lies in .data, which
       the loader wrote: .bss is not cleared yet. */
    la      t0, boot_ticket
    li      t1, 1
    amoadd.w.aq t0, t1, (t0)
    bnez    t0, park

    .option push
    .option norelax
    la      gp, __global_pointer$
    .option pop
    la      sp, stack_top
    csrw    mie, zero
    la      t0, trap_entry
    csrw    mtvec, t0

    /* Memory that is zero already is left alone: a page that is only read can stay
       shared with every other guest. */
    la      t0, bss_start
    la      t1, bss_end
1:  bgeu    t0, t1, 3f
    ld      t2, 0(t0)
    beqz    t2, 2f
    sd      zero, 0(t0)
2:  addi    t0, t0, 8
    j       1b

3:  call    boot
park:
    csrw    mie, zero
4:  wfi
    j       4b

    /* Interrupts are never enabled in mstatus, so a trap is always a fault of ours
       (Privileged manual, 3.1.7: mtvec's low two bits, the mode, must be 0). */
    .balign 4
trap_entry:
    la      sp, stack_top
    csrr    a0, mcause
    csrr    a1, mepc
    csrr    a2, mtval
    call    trap_report
    j       park

    .data
    .balign 4
boot_ticket:
    .word   0

    .section .stack, "aw", @nobits
    .balign 16
    .globl  stack_bottom, stack_top
stack_bottom:
    .space  12288
stack_top:

    .section .note.GNU-stack, "", @progbits
