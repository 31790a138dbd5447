# Entry in M-mode at the start of RAM: a stack, floating point on, main, power off.
        .section .text.start, "ax"
        .globl _start
_start:
        la      sp, stack_top
        li      t0, 0x6000          # mstatus.FS
        csrs    mstatus, t0
        la      t0, trap
        csrw    mtvec, t0
        li      a0, UNITS
        call    bench
        call    report
        li      t0, 0x100000        # test finisher
        li      t1, 0x5555
        sw      t1, 0(t0)
1:      wfi
        j       1b

# An exception is a failure: finisher code 1. The trap benchmark sets its own vector.
        .align  2
        .globl  trap
trap:   li      t0, 0x100000
        li      t1, 0x13333
        sw      t1, 0(t0)
2:      j       2b

        .bss
        .align  4
        .skip   65536
stack_top:
