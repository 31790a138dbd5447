/* The common pieces: in and out of machine code, and from it to C and back. */
#include "guests/translate/arena.h"
#include "guests/translate/x86_64/gen.h"

struct common common;

/* The registers that compilers use most; none of RAX, RCX, RDX, RSP, RBP, R15. */
const uint8_t host_of[32] = {
    [2] = R14, [8] = R12, [9] = R13, [10] = R8, [11] = R9, [12] = R10,
    [13] = RDI, [14] = R11, [15] = RBX, [16] = RSI,
};

static const uint8_t saved[] = {RBX, RBP, R12, R13, R14, R15};

static void registers_to_hart(struct assembler *a)
{
    for (unsigned x = 1; x < 32; x++)
        if (host_of[x])
            asm_store(a, home(x), host_of[x]);
}

static void registers_from_hart(struct assembler *a)
{
    for (unsigned x = 1; x < 32; x++)
        if (host_of[x])
            asm_load(a, host_of[x], home(x));
}

static void push(struct assembler *a, unsigned r)
{
    if (r >= R8)
        asm_8(a, 0x41);
    asm_8(a, 0x50 | (r & 7));
}

static void pop(struct assembler *a, unsigned r)
{
    if (r >= R8)
        asm_8(a, 0x41);
    asm_8(a, 0x58 | (r & 7));
}

static void call_c(struct assembler *a, uintptr_t fn)
{
    asm_mov_imm(a, RAX, fn);
    asm_modrm(a, false, 0xff, 2, in_reg(RAX));
}

/* RDI = hart, as C wants it. */
static void hart_argument(struct assembler *a)
{
    asm_modrm(a, true, 0x8d, RDI, in_mem(HART, -HART_BIAS));
}

/* enter(hart, entry, left): six pushes and the return address leave RSP 8 off. */
static const uint8_t *emit_enter(struct assembler *a)
{
    const uint8_t *at = asm_here(a);

    for (unsigned i = 0; i < ARRAY_LEN(saved); i++)
        push(a, saved[i]);
    asm_group1(a, true, G1_SUB, in_reg(RSP), 8);
    asm_modrm(a, true, 0x8d, HART, in_mem(RDI, HART_BIAS));
    asm_load(a, LEFT, in_reg(RDX));
    asm_load(a, RAX, in_reg(RSI));
    registers_from_hart(a);
    asm_modrm(a, false, 0xff, 4, in_reg(RAX)); /* jmp rax */
    return at;
}

/* Back to whoever called enter; the registers are in the hart. */
static const uint8_t *emit_return(struct assembler *a)
{
    const uint8_t *at = asm_here(a);

    asm_group1(a, true, G1_ADD, in_reg(RSP), 8);
    for (unsigned i = ARRAY_LEN(saved); i-- > 0;)
        pop(a, saved[i]);
    asm_8(a, 0xc3);
    return at;
}

/* The op's successor, op_return, holds in imm what LEFT lacks. */
static const uint8_t *emit_step(struct assembler *a, const uint8_t *ret)
{
    const uint8_t *at = asm_here(a);
    uint8_t *left;

    registers_to_hart(a);
    hart_argument(a);
    asm_load(a, RSI, in_reg(RAX));
    asm_load(a, RDX, FIELD_AT(page_va));
    asm_modrm(a, true, 0x63, RCX, /* movsxd */
              in_mem(RSI, (int32_t)(sizeof(struct op) + offsetof(struct op, imm))));
    asm_modrm(a, true, 0x03, RCX, in_reg(LEFT));
    asm_group1(a, true, G1_SUB, in_reg(RSP), 8);
    call_c(a, (uintptr_t)native_step);
    asm_group1(a, true, G1_ADD, in_reg(RSP), 8);
    asm_modrm8(a, 0x84, RAX, in_reg(RAX)); /* test al, al */
    left = asm_jcc_ahead(a, CC_E);
    registers_from_hart(a);
    asm_8(a, 0xc3);
    asm_bind(a, left);
    asm_group1(a, true, G1_ADD, in_reg(RSP), 8); /* the return address */
    asm_jmp(a, ret);
    return at;
}

static const uint8_t *emit_exit(struct assembler *a, const uint8_t *ret)
{
    const uint8_t *at = asm_here(a);

    registers_to_hart(a);
    hart_argument(a);
    asm_load(a, RSI, in_reg(RAX));
    asm_load(a, RDX, in_reg(LEFT));
    call_c(a, (uintptr_t)native_resolve);
    asm_modrm(a, true, 0x85, RAX, in_reg(RAX)); /* test */
    asm_jcc(a, CC_E, ret);
    registers_from_hart(a);
    asm_modrm(a, false, 0xff, 4, in_reg(RAX));
    return at;
}

static const uint8_t *emit_leave(struct assembler *a, const uint8_t *ret)
{
    const uint8_t *at = asm_here(a);

    registers_to_hart(a);
    asm_store(a, FIELD_AT(pc), RAX);
    asm_load(a, RCX, FIELD_AT(caches));
    asm_load(a, RCX, in_mem(RCX, (int32_t)offsetof(struct hart_caches, until)));
    asm_modrm(a, true, 0x2b, RCX, in_reg(LEFT)); /* sub */
    asm_store(a, FIELD_AT(icount), RCX);
    asm_jmp(a, ret);
    return at;
}

bool backend_init(void)
{
    uint8_t *exec = arena_take(ARENA_COLD), *rw;
    struct assembler a;
    const uint8_t *ret, *enter;

    if (!exec)
        return false;
    rw = arena_writable(exec);
    a = (struct assembler){.p = rw, .end = rw + ARENA_COLD_CHUNK, .exec = exec - rw};
    enter = emit_enter(&a);
    memcpy(&common.enter, &enter, sizeof(enter));
    ret = emit_return(&a);
    common.step = emit_step(&a, ret);
    common.exit = emit_exit(&a, ret);
    common.leave = emit_leave(&a, ret);
    return true;
}

const uint8_t *backend_leave(void)
{
    return common.leave;
}

void backend_enter(struct hart *h, const uint8_t *entry, int64_t left)
{
    common.enter(h, entry, left);
}
