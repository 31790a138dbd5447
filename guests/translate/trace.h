/* Traces: the straight lines of instructions that are translated together. */
#ifndef GUESTS_TRANSLATE_TRACE_H
#define GUESTS_TRANSLATE_TRACE_H

#include "guests/code.h"
#include "guests/decode.h"

#define TRACE_MAX 64 /* instructions: at most so many of a budget's end are interpreted */

/** What becomes of the control flow at an instruction of a trace. */
enum trace_flow {
    FLOW_ON,    /* goes on with the next instruction of the trace */
    FLOW_SIDE,  /* a branch: not taken goes on, taken leaves to `target` */
    FLOW_SIDE_NOT, /* a branch: taken goes on, not taken leaves to `next` */
    FLOW_JUMP,  /* a jump whose target is the next instruction of the trace */
    FLOW_RETURN, /* a return to a call in this trace: likewise */
};

struct trace_insn {
    struct insn in;
    uint8_t flow;   /* enum trace_flow */
    uint16_t off;   /* page offset */
    uint16_t next;  /* page offset of what follows in memory; may be PAGE_SIZE */
    int32_t target; /* branches and JAL: relative to the page's start, in any page */
};

enum trace_end {
    END_GOTO,     /* goes on at `to`, relative to the page's start */
    END_INDIRECT, /* the last instruction is a JALR */
    END_LEAVE,    /* the instruction at `to` is for the interpreter */
};

/**
 * Instructions in the order in which they run if nobody leaves: along the branches that the
 * interpreter has seen taken, through jumps and short calls, all in one page.
 */
struct trace {
    uint32_t n;
    uint16_t off; /* where it starts */
    uint8_t end;  /* enum trace_end */
    int32_t to;
    uint64_t lines; /* 64-byte lines that hold its instructions */
    struct trace_insn insns[TRACE_MAX];
};

/** Form the trace that starts with block `b`, of at most `max` instructions. False: there is none. */
bool trace_form(struct trace *t, const struct block *b, const uint8_t *data, unsigned max);

/** Fields of an instruction's bits. */
static inline unsigned insn_rd(const struct insn *in)
{
    return in->bits >> 7 & 31;
}

static inline unsigned insn_rs1(const struct insn *in)
{
    return in->bits >> 15 & 31;
}

static inline unsigned insn_rs2(const struct insn *in)
{
    return in->bits >> 20 & 31;
}

#endif
