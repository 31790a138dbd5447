/* The fast path of loads and stores, on the current op. */
#ifndef GUESTS_EXEC_MEM_H
#define GUESTS_EXEC_MEM_H

#include "guests/exec.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "guest memory is accessed in place: the host must be little-endian"
#endif

#define ADDRESS (RS1 + (uint64_t)(int64_t)op->imm)

static inline void *host_at(const struct tlb_entry *e, uint64_t va)
{
    return (void *)(uintptr_t)(va + e->addend);
}

/* A type at any address; not a local that memcpy fills: see exec.h on addresses of locals. */
#define ANYWHERE(type)                                                                             \
    struct any_##type {                                                                            \
        type v;                                                                                    \
    } __attribute__((packed, may_alias))

ANYWHERE(int8_t);
ANYWHERE(int16_t);
ANYWHERE(int32_t);
ANYWHERE(int64_t);
ANYWHERE(uint8_t);
ANYWHERE(uint16_t);
ANYWHERE(uint32_t);
ANYWHERE(uint64_t);

#define AS(type, p) (((struct any_##type *)(p))->v)

/* One access: `type` in memory, `dest` = `conv` of it; `slow` goes on if the TLB cannot. */
#define FAST_LOAD(type, dest, conv, slow)                                                          \
    do {                                                                                           \
        uint64_t va_ = ADDRESS;                                                                    \
        const struct tlb_entry *e_ = tlb_at(h, va_);                                               \
        if (UNLIKELY(e_->tag_load != tlb_tag(va_, sizeof(type))))                                  \
            TAIL_RETURN slow(PASS);                                                                \
        dest = conv(AS(type, host_at(e_, va_)));                                                   \
    } while (0)

#define FAST_STORE(type, value, slow)                                                              \
    do {                                                                                           \
        uint64_t va_ = ADDRESS;                                                                    \
        const struct tlb_entry *e_ = tlb_at(h, va_);                                               \
        if (UNLIKELY(e_->tag_store != tlb_tag(va_, sizeof(type))))                                 \
            TAIL_RETURN slow(PASS);                                                                \
        AS(type, host_at(e_, va_)) = (type)(value);                                                \
    } while (0)

#define CONV_S(v) (uint64_t)(int64_t)(v)
#define CONV_U(v) (uint64_t)(v)
#define CONV_BOX(v) ((uint64_t)(v) | 0xffffffff00000000ULL)

/* What each load and store is: type in memory, and what becomes of it. */
#define LOAD_lb FAST_LOAD(int8_t, RD, CONV_S, slow_lb)
#define LOAD_lh FAST_LOAD(int16_t, RD, CONV_S, slow_lh)
#define LOAD_lw FAST_LOAD(int32_t, RD, CONV_S, slow_lw)
#define LOAD_ld FAST_LOAD(uint64_t, RD, CONV_U, slow_ld)
#define LOAD_lbu FAST_LOAD(uint8_t, RD, CONV_U, slow_lbu)
#define LOAD_lhu FAST_LOAD(uint16_t, RD, CONV_U, slow_lhu)
#define LOAD_lwu FAST_LOAD(uint32_t, RD, CONV_U, slow_lwu)
#define STORE_sb FAST_STORE(uint8_t, RS2, slow_sb)
#define STORE_sh FAST_STORE(uint16_t, RS2, slow_sh)
#define STORE_sw FAST_STORE(uint32_t, RS2, slow_sw)
#define STORE_sd FAST_STORE(uint64_t, RS2, slow_sd)

/* Their slow halves: the same instruction through mem.c, then on to the next one. */
op_fn slow_lb, slow_lh, slow_lw, slow_ld, slow_lbu, slow_lhu, slow_lwu;
op_fn slow_sb, slow_sh, slow_sw, slow_sd;

#endif
