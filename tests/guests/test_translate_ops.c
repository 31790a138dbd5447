/* The translator, operation by operation: values where something happens, modes, flags, faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/guests/edges.h"

/* --- results that go nowhere --- */

static void load_x0(struct guest *g)
{
    g->harts[0].mstatus |= MSTATUS_FS;
    g->harts[0].f[1] = 0x3ff8000000000000ULL;
    put_handler(g);
    PUT(g, 0,
        LD(X0, S0, 0), LW(X0, S0, 3), LD(X0, X0, 0), ADDI(X0, A2, 5), ADD(X0, A2, A2),
        MUL(X0, A2, A2), DIV(X0, A2, X0), LUI(X0, 5), AUIPC(X0, 5), SLLI(X0, A2, 3),
        AMO_D(0, X0, A2, S0), AMO_W(4, X0, A2, S0), SC_D(X0, A2, S0), LR_D(X0, S0),
        CSRRW(X0, FFLAGS, X0), 0xc2209053 & ~(31u << 7), /* fcvt.l.d x0, f1, rtz: inexact */
        CSRR(A3, FFLAGS), 0xa2109053 & ~(31u << 7), /* flt.d x0, f1, f1 */
        JAL(X0, 8), ADDI(A4, A4, 1), CSRRS(X0, CYCLE, X0), ADD(A5, A5, X0), ADDI(A2, A2, 1),
        SUB(A5, X0, A2), J(-4 * 24));
}

static void results_for_x0(void **state)
{
    (void)state;
    agree(load_x0, 500);
}

/* --- integers: each operation on the values where something happens --- */

static const uint64_t int_values[] = {
    0, 1, 2, 31, 32, 63, 64, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
    0x8000000000000000, 0x8000000000000001, 0xffffffffffffffff, 0xfffffffffffffffe,
    0xffffffff80000000, 0xffffffff7fffffff, 0x123456789abcdef0,
};

/* parameter: 0 in registers that a host may hold, 1 in others, 2 mixed, 3 the same twice. */
static void load_integers(struct guest *g)
{
    static const uint32_t ops[] = {
        0x33, 0x40000033, 0x1033, 0x2033, 0x3033, 0x4033, 0x5033, 0x40005033, 0x6033, 0x7033,
        0x3b, 0x4000003b, 0x103b, 0x503b, 0x4000503b, 0x2000033, 0x2001033, 0x2002033, 0x2003033,
        0x2004033, 0x2005033, 0x2006033, 0x2007033, 0x200003b, 0x200403b, 0x200503b, 0x200603b,
        0x200703b, 0x20002033, 0x20004033, 0x20006033, 0x800003b, 0x2000203b, 0x2000403b,
        0x2000603b, 0x40007033, 0x40006033, 0x40004033, 0xa004033, 0xa006033, 0xa005033,
        0xa007033, 0x60001033, 0x60005033, 0x6000103b, 0x6000503b, 0x28001033, 0x48001033,
        0x48005033, 0x68001033,
    };
    static const uint8_t regs[][3] = {{A0, A1, A3}, {S3, S4, S5}, {A0, S4, A0}, {S3, A1, A1}};
    unsigned a = regs[parameter][0], b = regs[parameter][1], d = regs[parameter][2];
    uint64_t at = 44;

    put_handler(g);
    for (unsigned i = 0; i < ARRAY_LEN(int_values); i++)
        assert_true(ram_write(&g->ram, BASE + DATA_AT + 0x100 + 8 * i, &int_values[i], 8));
    PUT(g, 0, ADDI(T0, X0, ARRAY_LEN(int_values)), ADDI(S1, S0, 0x100), ADDI(S6, S6, 1),
        0x02500000 | r_type(0x7033, T1, S6, 0) /* remu t1, s6, t0 */, SLLI(T1, T1, 3), ADD(T1, T1, S1),
        LD(S8, T1, 0), 0x02500000 | r_type(0x5033, T1, S6, 0), SLLI(T1, T1, 3), ADD(T1, T1, S1),
        LD(S9, T1, 0));
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++, at += 20)
        PUT(g, at, ADD(a, S8, X0), ADD(b, S9, X0), r_type(ops[i], d, a, b),
            i_type(0x5013, A4, A4, 0x601) /* rori: nothing gets lost */, ADD(A4, A4, d));
    PUT(g, at, J((int)(8 - (int)at)));
}

static void integers(void **state)
{
    const struct program p = {load_integers, 2000, 0};

    (void)state;
    for (parameter = 0; parameter < 4; parameter++)
        agree_at_end(&p, 261 * ARRAY_LEN(int_values) * ARRAY_LEN(int_values));
    parameter = 0;
}

/* --- floating point: each instruction under each mode, its flags after it --- */

/* In pairs that the hardware works on: f10, f11, f12; x10. Integers go to x13. rm is filled in. */
static const struct {
    uint32_t word;
    bool rounds;
} fp_insns[] = {
    {0x00b50753, true}, {0x02b50753, true}, {0x08b50753, true}, {0x0ab50753, true}, /* fadd, fsub */
    {0x10b50753, true}, {0x12b50753, true}, {0x18b50753, true}, {0x1ab50753, true}, /* fmul, fdiv */
    {0x58050753, true}, {0x5a050753, true},                                         /* fsqrt */
    {0x60b50743, true}, {0x62b50743, true}, {0x60b50747, true}, {0x62b50747, true}, /* fmadd, fmsub */
    {0x60b5074b, true}, {0x62b5074b, true}, {0x60b5074f, true}, {0x62b5074f, true}, /* fnm... */
    {0x40150753, true}, {0x42050753, true},                                         /* fcvt.s.d, d.s */
    {0xc00506d3, true}, {0xc01506d3, true}, {0xc02506d3, true}, {0xc03506d3, true}, /* to integers */
    {0xc20506d3, true}, {0xc21506d3, true}, {0xc22506d3, true}, {0xc23506d3, true},
    {0xd0050753, true}, {0xd0150753, true}, {0xd0250753, true}, {0xd0350753, true}, /* and from */
    {0xd2050753, true}, {0xd2150753, true}, {0xd2250753, true}, {0xd2350753, true},
    {0x20b50753, false}, {0x20b51753, false}, {0x20b52753, false}, {0x22b50753, false}, /* fsgnj */
    {0x22b51753, false}, {0x22b52753, false}, {0x28b50753, false}, {0x28b51753, false}, /* fmin */
    {0x2ab50753, false}, {0x2ab51753, false}, {0xa0b526d3, false}, {0xa0b516d3, false}, /* feq, flt */
    {0xa0b506d3, false}, {0xa2b526d3, false}, {0xa2b516d3, false}, {0xa2b506d3, false},
    {0xe00506d3, false}, {0xe20506d3, false}, {0xe00516d3, false}, {0xe20516d3, false}, /* fmv.x */
    {0xf0050753, false}, {0xf2050753, false}, {0x00042707, false}, {0x00043707, false}, /* flw, fld */
    {0x00a42427, false}, {0x00a43427, false},                                           /* fsw, fsd */
};

static const uint64_t fp_values[] = {
    0, 0x8000000000000000, 0x3ff0000000000000, 0xbff8000000000001, 0x7ff0000000000000,
    0xfff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001, 0xfff8000000001234, 1,
    0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff, 0x43e0000000000000,
    0xc3e0000000000000, 0x41dfffffffc00000, 0xc1e0000000000000, 0x3fe0000000000000,
    0x4330000000000001, 0xffffffff00000000, 0xffffffff3f800000, 0xffffffff80000001,
    0xffffffff7f800000, 0xffffffff7fc00000, 0xffffffff7f800001, 0xffffffff7f7fffff,
    0xffffffff00800000, 0xffffffff4f000000, 0xffffffffcf000000, 0xffffffff5f000000,
    0xffffffff3effffff, 0xffffffffbfc00000, 0x3f8000003f800000, 0x00000000ffffffff,
};

/* parameter: instruction * 8 + rm; each turn takes three other values, and frm changes slowly. */
static void load_fp(struct guest *g)
{
    uint32_t word = fp_insns[parameter / 8].word;

    if (fp_insns[parameter / 8].rounds)
        word |= (parameter % 8) << 12;
    put_handler(g);
    g->harts[0].mstatus |= MSTATUS_FS;
    for (unsigned i = 0; i < ARRAY_LEN(fp_values); i++)
        assert_true(ram_write(&g->ram, BASE + DATA_AT + 0x100 + 8 * i, &fp_values[i], 8));
    PUT(g, 0,
        ADDI(A1, X0, ARRAY_LEN(fp_values)), ADDI(S1, S0, 0x100), LUI(S7, 0x9e378),
        /* 3 */ ADDI(A2, A2, 1), MUL(T1, A2, S7), SRLI(T2, T1, 20), 0x02b3f3b3 /* remu t2, t2, a1 */,
        SLLI(T2, T2, 3), ADD(T2, T2, S1), 0x0003b507 /* fld fa0, 0(t2) */, LD(A0, T2, 0),
        SRLI(T2, T1, 25), 0x02b3f3b3, SLLI(T2, T2, 3), ADD(T2, T2, S1), 0x0003b587 /* fa1 */,
        SRLI(T2, T1, 30), 0x02b3f3b3, SLLI(T2, T2, 3), ADD(T2, T2, S1), 0x0003b607 /* fa2 */,
        word, CSRR(T0, FFLAGS), ADD(A4, A4, T0), word, 0x00e43827 /* fsd fa4, 16(s0) */,
        LD(T0, S0, 16), XOR(A4, A4, T0), ADD(A5, A5, A3), ANDI(T1, A2, 7), BNE(T1, X0, 4 * (3 - 30)),
        SRLI(T1, A2, 3), CSRW(FRM, T1), CSRW(FFLAGS, X0), J(4 * (3 - 34)));
}

static void floating_point(void **state)
{
    const struct program p = {load_fp, 2040, 0};

    (void)state;
    for (parameter = 0; parameter < 8 * ARRAY_LEN(fp_insns); parameter++)
        if (fp_insns[parameter / 8].rounds || parameter % 8 == 0)
            agree_at_end(&p, 12000);
    parameter = 0;
}

/* FS goes from off to dirty round the same instructions, in one trace. */
static void load_fs(struct guest *g)
{
    const uint32_t ops[] = {0x02b50753, 0x00043707, 0x00e43827, 0xe20706d3, 0xf2050753, 0xa2b516d3};

    put_handler(g);
    g->harts[0].f[10] = 0x3ff8000000000000;
    g->harts[0].f[11] = 0x4008000000000001;
    PUT(g, 0, LUI(S7, 6), LUI(S8, 2), LUI(S9, 4));
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
        uint64_t at = 12 + i * 40;

        PUT(g, at, CSRRC(X0, MSTATUS, S7), ops[i], CSRRS(X0, MSTATUS, S8), ops[i], CSRR(T0, MSTATUS),
            ADD(A4, A4, T0), CSRRS(X0, MSTATUS, S9), ops[i], CSRR(T0, MSTATUS), XOR(A4, A4, T0));
    }
    PUT(g, 12 + ARRAY_LEN(ops) * 40, ADDI(A2, A2, 1), J(-4 * (int)(10 * ARRAY_LEN(ops) + 1)));
}

static void the_state_of_floating_point(void **state)
{
    (void)state;
    agree(load_fs, 900);
}

/* --- atomics and misaligned accesses --- */

static void load_atomics(struct guest *g)
{
    static const uint8_t kinds[] = {0, 1, 4, 8, 12, 16, 20, 24, 28};
    uint64_t at = 16;

    put_handler(g);
    PUT(g, 0, LUI(S7, 0x87654), ADDI(S1, S0, 8), ADDI(A2, A2, 1), MUL(A0, A2, S7));
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++, at += 16)
        PUT(g, at, AMO_W(kinds[i], A1, A0, S0), ADD(A4, A4, A1), AMO_D(kinds[i], A1, A0, S1),
            ADD(A4, A4, A1));
    PUT(g, at, LR_W(A1, S0), ADDI(A1, A1, 1), BLT(A1, X0, 8), SC_W(A3, A1, S0), ADD(A5, A5, A3),
        SC_W(A3, A1, S0), ADD(A5, A5, A3), LR_D(A1, S1), SD(A2, S1, 0), SC_D(A3, A1, S1),
        ADD(A5, A5, A3), LR_D(A1, S1), JAL(RA, 8), J(8), RET, SC_D(A3, A2, S1), ADD(A5, A5, A3),
        LR_W(A1, S0), SC_D(A3, A1, S0), ADD(A5, A5, A3), J((int)(8 - (int)at - 80)));
}

static void load_misaligned(struct guest *g)
{
    uint64_t at = 12;

    put_handler(g);
    PUT(g, 0, LUI(S1, 1), ADD(S1, S1, S0), ADDI(A2, A2, 1));
    for (int i = -7; i < 2; i++, at += 28) /* over a page's end */
        PUT(g, at, SD(A2, S1, i), LD(A1, S1, i - 1), ADD(A4, A4, A1), SW(A4, S1, i + 2),
            LW(A1, S1, i), SH(A1, S1, i), LH(A3, S1, i - 1));
    PUT(g, at, ADD(A4, A4, A3), J((int)(8 - (int)at - 4)));
}

/*
 * Accesses in a row off one register, near the end of a page that is the last: some fault. A load
 * replaces the register. parameter: how far from the end; odd: misaligned.
 */
static void load_rows(struct guest *g)
{
    start_paged(g);
    PUT(g, 0,
        LUI(S1, 1), ADD(S1, S1, S2), ADDI(S1, S1, -(int)parameter), ADDI(A2, A2, 1),
        LD(A0, S1, 0), LW(A1, S1, 8), LB(A3, S1, 16), LH(S7, S1, 24), LD(S8, S1, 32), ADD(A4, A4, A0),
        SD(A4, S1, 0), SW(A2, S1, 8), SB(A2, S1, 17), SH(A2, S1, 26), SD(A1, S1, 32),
        SD(S1, S2, 64), SD(S2, S2, 72), LD(A5, S2, 64), LD(S9, S2, 72), LD(S9, S9, 64), LD(S9, S9, 0),
        LD(S9, S2, 64), ADD(A4, A4, S7), ADD(A4, A4, S9),
        SD(A2, GP, 0x300), SW(A2, GP, 0x308), SW(A2, GP, 0x310), /* in the code's page */
        LD(A5, GP, 0x300), LW(A3, GP, 0x308), ADD(A4, A4, A5), J(4 * (3 - 30)));
}

static void atomics_and_misaligned_accesses(void **state)
{
    static const uint8_t ends[] = {1, 8, 15, 16, 23, 24, 32, 39, 40, 41, 48};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(ends); i++) {
        parameter = ends[i];
        agree(load_rows, 600);
    }
    parameter = 0;
    agree(load_atomics, 500);
    agree(load_misaligned, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_for_x0),
        cmocka_unit_test(integers),
        cmocka_unit_test(floating_point),
        cmocka_unit_test(the_state_of_floating_point),
        cmocka_unit_test(atomics_and_misaligned_accesses),
    };

    return cmocka_run_group_tests_name("operations of the translator", tests, NULL, NULL);
}
