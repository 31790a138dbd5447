/*
 * What every instruction test starts from and ends in: machine-mode entry, the
 * trap recorder, the comparison, and the report on the UART and the test finisher.
 */
#include "insn.h"

    .section .text.start
    .globl _start
_start:
    bnez a0, park               /* one hart runs the test */
    mv s3, a1                   /* the device tree, for whom it concerns */
    la sp, stack_top
    la t0, trap_m
    csrw mtvec, t0
    csrw mie, zero
    csrw satp, zero
    csrw mscratch, zero
    li t0, MSTATUS_MIE | MSTATUS_MPRV | MSTATUS_FS
    csrc mstatus, t0
    /* medeleg and mideleg are 0 at reset or not there; make sure of the first. */
    csrw medeleg, zero
    csrw mideleg, zero
    /* S and U may do anything until a PMP test says otherwise: entry 15, the
     * lowest of the sixteen, is the whole address space. */
    li t0, -1
    csrw pmpaddr15, t0
    li t0, 0x1f << 56
    csrw pmpcfg2, t0
    li s4, -1
    li s8, 0
    li s9, 0
    li s10, 0
    li s11, 0
    call test_main
    j test_pass
park:
    wfi
    j park

/*
 * Every trap to M-mode: s4 cause, s5 tval, s6 epc, s7 mstatus, then on at s9, still
 * in M-mode. With s9 = 0 no trap was expected. s8 = 1 says that the S-mode recorder
 * has filled s4-s7 already and only wants to get here; it leaves as 2.
 */
    .balign 4
    .globl trap_m
trap_m:
    beqz s9, trap_unexpected
    li a0, 1
    beq s8, a0, trap_from_s
    csrr s4, mcause
    csrr s5, mtval
    csrr s6, mepc
    csrr s7, mstatus
    jr s9
trap_from_s:
    li s8, 2
    jr s9

/* For stvec: the same record from the S-mode registers (s7 is sstatus). */
    .balign 4
    .globl trap_s
trap_s:
    csrr s4, scause
    csrr s5, stval
    csrr s6, sepc
    csrr s7, sstatus
    li s8, 1
    ecall

trap_unexpected:
    csrr s4, mcause
    csrr s5, mtval
    csrr s6, mepc
    call report_begin
    la a0, text_trap
    call put_text
    mv a0, s4
    call put_hex
    la a0, text_epc
    call put_text
    mv a0, s6
    call put_hex
    la a0, text_tval
    call put_text
    mv a0, s5
    call put_hex
    la a0, text_after
    call put_text
    mv a0, s11
    call put_decimal
    j report_end

/* check: a0 got, a1 wanted, a2 source line. Uses a0-a2 and ra, counts in s10. */
    .globl check
check:
    bne a0, a1, check_failed
    addi s10, s10, 1
    mv s11, a2
    ret
check_failed:
    mv s0, a0
    mv s1, a1
    mv s2, a2
    call report_begin
    la a0, text_line
    call put_text
    mv a0, s2
    call put_decimal
    la a0, text_case
    call put_text
    addi a0, s10, 1
    call put_decimal
    la a0, text_got
    call put_text
    mv a0, s0
    call put_hex
    la a0, text_want
    call put_text
    mv a0, s1
    call put_hex
    la a0, text_cause
    call put_text
    mv a0, s4
    call put_hex
    la a0, text_epc
    call put_text
    mv a0, s6
    call put_hex
    la a0, text_tval
    call put_text
    mv a0, s5
    call put_hex
    j report_end

/*
 * After an instruction that must be illegal: cause 2, epc is a1, and mtval either 0
 * or the instruction's bits (Privileged 3.1.16 allows both). a2 source line.
 */
    .globl check_illegal
check_illegal:
    mv a7, ra
    mv a6, a1
    mv a0, s4
    li a1, CAUSE_ILLEGAL
    call check
    mv a0, s6
    mv a1, a6
    call check
    mv ra, a7
    beqz s5, 3f
    lhu a1, 0(a6)
    andi a0, a1, 3
    addi a0, a0, -3
    bnez a0, 2f                 /* a 16-bit instruction */
    lhu a0, 2(a6)
    slli a0, a0, 16
    or a1, a1, a0
2:  mv a0, s5
    j check
3:  ret

/* From here on nothing may trap or be translated, whatever the test had set up. */
report_begin:
    li t0, MSTATUS_MIE | MSTATUS_MPRV
    csrc mstatus, t0
    csrw mie, zero
    li s9, 0
    ret
report_end:
    la a0, text_end
    call put_text
    li t0, FINISHER
    li t1, 0x3333 | 1 << 16
    sw t1, 0(t0)
    j park

    .globl test_pass
test_pass:
    call report_begin
    mv a0, s10
    call put_decimal
    la a0, text_passed
    call put_text
    li t0, FINISHER
    li t1, 0x5555
    sw t1, 0(t0)
    j park

/* The extension is optional and not there: a0 says which. Ends the test well. */
    .globl test_skip
test_skip:
    mv s0, a0
    call report_begin
    la a0, text_skip
    call put_text
    mv a0, s0
    call put_text
    la a0, text_newline
    call put_text
    j test_pass

put_char:                       /* a0; uses t0, t1 */
    li t0, UART
1:  lbu t1, 5(t0)
    andi t1, t1, 0x20
    beqz t1, 1b
    sb a0, 0(t0)
    ret
put_text:                       /* a0: text; uses a1, a2, t0, t1 */
    mv a2, ra
    mv a1, a0
1:  lbu a0, 0(a1)
    beqz a0, 2f
    call put_char
    addi a1, a1, 1
    j 1b
2:  jr a2
put_hex:                        /* a0: value; uses a1-a3, t0-t2 */
    mv a2, ra
    mv a1, a0
    li a3, 60
1:  srl a0, a1, a3
    andi a0, a0, 15
    addi a0, a0, '0'
    li t2, '9'
    ble a0, t2, 2f
    addi a0, a0, 'a' - '0' - 10
2:  call put_char
    addi a3, a3, -4
    bgez a3, 1b
    jr a2
put_decimal:                    /* a0: value below a million; uses a1-a4, t0, t1 */
    mv a2, ra
    mv a1, a0
    li a3, 100000
    li a4, 0                    /* a digit has been written */
1:  li a0, '0'
2:  blt a1, a3, 3f              /* no division: it may be what is broken */
    sub a1, a1, a3
    addi a0, a0, 1
    li a4, 1
    j 2b
3:  beqz a4, 4f
    call put_char
4:  la t0, powers
5:  lw t1, 0(t0)
    addi t0, t0, 4
    bne t1, a3, 5b
    lw a3, 0(t0)
    beqz a3, 6f
    addi t1, a3, -1
    bnez t1, 1b
    li a4, 1                    /* the last digit is always written */
    j 1b
6:  jr a2

    .section .rodata
    .balign 4
powers:
    .word 100000, 10000, 1000, 100, 10, 1, 0
text_passed: .asciz " passed\n"
text_skip:  .asciz "SKIP "
text_line:  .asciz "FAIL line "
text_case:  .asciz ", case "
text_got:   .asciz ": got 0x"
text_want:  .asciz ", want 0x"
text_cause: .asciz " (last trap: cause 0x"
text_trap:  .asciz "FAIL unexpected trap (cause 0x"
text_epc:   .asciz ", epc 0x"
text_tval:  .asciz ", tval 0x"
text_after: .asciz ") after line "
text_end:   .asciz ")\n"
text_newline: .asciz "\n"

    .bss
    .balign 16
    .space 2048
stack_top:
