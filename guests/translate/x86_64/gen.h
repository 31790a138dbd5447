/* What the emitters share: where guest state is, and the pieces that every trace needs. */
#ifndef GUESTS_TRANSLATE_X86_64_GEN_H
#define GUESTS_TRANSLATE_X86_64_GEN_H

#include "guests/translate/backend.h"
#include "guests/translate/x86_64/asm.h"

/*
 * Registers. RBP points into the hart, R15 is what is left of the budget after the trace, RAX, RCX
 * and RDX are free for each instruction. The others hold ten guest registers wherever machine
 * code runs; the rest of the guest's are in the hart. RSP is aligned to 16 in a trace.
 */
#define HART RBP
#define LEFT R15
#define HART_BIAS 128 /* RBP - hart: most registers are within a byte's displacement */
#define FIELD_AT(field) in_mem(HART, (int32_t)offsetof(struct hart, field) - HART_BIAS)

/** Host register of each guest register, or 0 (RAX): it is in memory. */
extern const uint8_t host_of[32];

static inline struct loc home(unsigned x)
{
    return in_mem(HART, (int32_t)(offsetof(struct hart, x) + 8 * x) - HART_BIAS);
}

/** Where a guest register is to be read: x0 as zero in memory. */
static inline struct loc place(unsigned x)
{
    return host_of[x] ? in_reg(host_of[x]) : home(x);
}

static inline struct loc place_f(unsigned f)
{
    return in_mem(HART, (int32_t)(offsetof(struct hart, f) + 8 * f) - HART_BIAS);
}

/** A jump out of the straight line whose far side is emitted after the trace. */
struct detour {
    uint8_t *site;   /* the displacement to bind */
    const uint8_t *back; /* where a step goes on */
    uint16_t insn;   /* index in the trace */
    uint8_t kind;    /* enum detour_kind */
    int32_t to;      /* an exit's target; of steps: how many instructions */
};

enum detour_kind {
    DETOUR_STEP,    /* interpret the instruction, then back */
    DETOUR_STEP_FP, /* the same, but go back only if the host's unit does the hart's work */
    DETOUR_EXIT,    /* leave the trace before its end */
    DETOUR_ASK,     /* at its end: a jump that is to be patched */
    DETOUR_BUDGET,  /* the budget has no room for the trace */
};

#define DETOURS_MAX (6 * TRACE_MAX + 2) /* fmadd.s may go astray five times */

struct gen {
    struct assembler a; /* of the code that runs; for the detours, of the other part */
    const struct trace *t;
    const struct trace_insn *ti; /* the present one */
    uint32_t i;                  /* its index */
    const uint8_t *entry;        /* executable address of the start */
    struct detour detours[DETOURS_MAX];
    uint32_t n_detours;
    struct native_exit exits[2 * TRACE_MAX + 2];
    uint8_t *exit_refs[2 * TRACE_MAX + 2]; /* displacements that are to lead to them */
    uint32_t n_exits;
    uint16_t steps[TRACE_MAX]; /* the instructions that may be interpreted, ascending */
    uint8_t *step_refs[DETOURS_MAX];     /* displacements that are to lead to their ops */
    uint16_t step_slots[DETOURS_MAX];
    uint32_t n_steps, n_step_refs;
    bool fp_sure;               /* the host's unit is known to do the hart's work */
    bool fs_on, fs_dirty;       /* FS is known to be that */
};

/** How an instruction is emitted; `opcode` and `arg` as the emitter wants them. */
struct rule {
    void (*emit)(struct gen *g, const struct insn *in, const struct rule *r);
    uint32_t opcode;
    uint8_t arg, arg2;
};

/** The emitters' tables, by instruction; an empty row is none of theirs. */
extern const struct rule int_rules[OP_COUNT], bit_rules[OP_COUNT], mem_rules[OP_COUNT],
    fp_rules[OP_COUNT];

/* --- pieces (gen.c) --- */

/** The value of a guest register in a host register: its own, or `scratch`, loaded. */
unsigned gen_use(struct gen *g, unsigned x, unsigned scratch);

/** Where a result is to be made: the guest register's own host register, or RAX. */
static inline unsigned gen_target(unsigned rd)
{
    return host_of[rd]; /* 0 is RAX */
}

/** Put a result from a host register where it belongs. */
void gen_put(struct gen *g, unsigned rd, unsigned from);

/** dst = a guest register; the flags may go. */
void gen_move(struct gen *g, unsigned dst, unsigned x);

/** rd = whether the flags say `cc`. */
void gen_set(struct gen *g, unsigned rd, enum cc cc);

/** A shift or rotation by n: ext is its number in group 2. */
void gen_shift(struct gen *g, bool w, unsigned ext, unsigned reg, unsigned n);

/** dst = page_va + offset. */
void gen_page_address(struct gen *g, unsigned dst, int32_t offset);

/** From here, if cc, to the interpreter for the present instruction. */
void gen_step_if(struct gen *g, enum cc cc, enum detour_kind kind);

/** The same for the present instruction and those after it, n in all. */
void gen_steps_if(struct gen *g, enum cc cc, unsigned n);

/** Every gen_step_if of the present instruction goes on here. */
void gen_step_back(struct gen *g);

/** The present instruction by the interpreter, in line. */
void gen_step(struct gen *g);

/** RAX = the op of instruction `insn`, with op_return behind it. */
void gen_step_op(struct gen *g, uint16_t insn);

/** Everything that is not code: the exits and the steps' ops, after the code. */
void gen_data(struct gen *g, struct code *code);

/** Instructions of the trace after the present one. */
static inline uint32_t gen_after(const struct gen *g)
{
    return g->t->n - g->i - 1;
}

/* --- memory (mem.c) --- */

/** RAX = host address of rs1 + offset, else a step. RCX and RDX are used. */
void mem_translate_load(struct gen *g, unsigned rs1, int32_t offset, unsigned size);
void mem_translate_store(struct gen *g, unsigned rs1, int32_t offset, unsigned size);

/** Emit several loads or stores at once, from the present one on: how many, or 0. */
unsigned mem_group(struct gen *g);

/* --- control flow (flow.c) --- */

void flow_branch(struct gen *g, const struct insn *in);
void flow_jump(struct gen *g, const struct insn *in);
void flow_jalr(struct gen *g, const struct insn *in);
void flow_start(struct gen *g);
void flow_end(struct gen *g);
void flow_detours(struct gen *g);

/* --- common pieces (entry.c) --- */

/** Executable addresses. */
struct common {
    void (*enter)(struct hart *h, const uint8_t *entry, int64_t left);
    const uint8_t *step;  /* called: RAX is the op */
    const uint8_t *exit;  /* RAX is the native_exit */
    const uint8_t *leave; /* RAX is the pc */
};
extern struct common common;

#endif
