/* Atomics (chapter 8). Harts run in turn, so each is a plain read and write. */
#include "guests/exec_int.h"
#include "guests/exec_mem.h"

/*
 * LR remembers where it read, how wide, and what. SC succeeds if that is still there: the value
 * comparison stands for the other harts' stores (harts run in turn, so nothing can come
 * between it and the store). A location that was changed and changed back by others between
 * LR and SC passes; everything else that must fail does.
 */
static COLD void slow_lr(HANDLER_ARGS, unsigned size)
{
    const uint8_t *p;

    sync_before(PASS);
    p = mem_atomic(h, RS1, size, ACCESS_LOAD);
    if (!p)
        LEAVE();
    h->reserve_value = size == 8 ? load_le64(p) : SEXT32(load_le32(p));
    h->reserve_addr = h->mem_value | (size == 8);
    RD = h->reserve_value;
    NEXT();
}

HANDLER(lr_w)
{
    TAIL_RETURN slow_lr(PASS, 4);
}

HANDLER(lr_d)
{
    TAIL_RETURN slow_lr(PASS, 8);
}

/* After a write in place: the block may have to be left. */
#define AFTER_WRITE()                                                                              \
    do {                                                                                           \
        if (UNLIKELY(h->caches->code_changed)) {                                                   \
            sync_after(PASS);                                                                      \
            LEAVE();                                                                               \
        }                                                                                          \
        NEXT();                                                                                    \
    } while (0)

static COLD void slow_sc(HANDLER_ARGS, unsigned size)
{
    uint64_t value = RS2;
    uint8_t *p;
    bool ok;

    sync_before(PASS);
    p = mem_atomic(h, RS1, size, ACCESS_STORE);
    if (!p)
        LEAVE();
    ok = h->reserve_addr == (h->mem_value | (size == 8)) &&
         h->reserve_value == (size == 8 ? load_le64(p) : SEXT32(load_le32(p)));
    if (ok && size == 8)
        store_le64(p, value);
    else if (ok)
        store_le32(p, (uint32_t)value);
    h->reserve_addr = UINT64_MAX;
    RD = !ok;
    AFTER_WRITE();
}

HANDLER(sc_w)
{
    TAIL_RETURN slow_sc(PASS, 4);
}

HANDLER(sc_d)
{
    TAIL_RETURN slow_sc(PASS, 8);
}

/* AMOs: `old` is what was in memory, `src` the register. */
#define AMO(name, type, expr)                                                                      \
    static COLD void slow_##name(HANDLER_ARGS)                                                     \
    {                                                                                              \
        type src = (type)RS2, old, val;                                                            \
        uint8_t *p;                                                                                \
                                                                                                   \
        sync_before(PASS);                                                                         \
        p = mem_atomic(h, RS1, sizeof(type), ACCESS_STORE);                                        \
        if (!p)                                                                                    \
            LEAVE();                                                                               \
        old = AS(type, p);                                                                         \
        val = (type)(expr);                                                                        \
        AS(type, p) = val;                                                                         \
        RD = AMO_RESULT(old);                                                                      \
        AFTER_WRITE();                                                                             \
    }                                                                                              \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        uint64_t va = RS1;                                                                         \
        const struct tlb_entry *e = tlb_at(h, va);                                                 \
        type src = (type)RS2, old, val;                                                            \
                                                                                                   \
        if (UNLIKELY(e->tag_store != tlb_tag(va, sizeof(type))))                                   \
            TAIL_RETURN slow_##name(PASS);                                                         \
        old = AS(type, host_at(e, va));                                                            \
        val = (type)(expr);                                                                        \
        AS(type, host_at(e, va)) = val;                                                            \
        RD = AMO_RESULT(old);                                                                      \
        NEXT();                                                                                    \
    }

/* A word is sign-extended, also where it was compared unsigned (8.4). */
#define AMO_RESULT(old) (sizeof(old) == 4 ? SEXT32(old) : (uint64_t)(old))

AMO(amoswap_w, uint32_t, ((void)old, src))
AMO(amoadd_w, uint32_t, old + src)
AMO(amoxor_w, uint32_t, old ^ src)
AMO(amoand_w, uint32_t, old & src)
AMO(amoor_w, uint32_t, old | src)
AMO(amomin_w, int32_t, MIN(old, src))
AMO(amomax_w, int32_t, MAX(old, src))
AMO(amominu_w, uint32_t, MIN(old, src))
AMO(amomaxu_w, uint32_t, MAX(old, src))
AMO(amoswap_d, uint64_t, ((void)old, src))
AMO(amoadd_d, uint64_t, old + src)
AMO(amoxor_d, uint64_t, old ^ src)
AMO(amoand_d, uint64_t, old & src)
AMO(amoor_d, uint64_t, old | src)
AMO(amomin_d, int64_t, MIN(old, src))
AMO(amomax_d, int64_t, MAX(old, src))
AMO(amominu_d, uint64_t, MIN(old, src))
AMO(amomaxu_d, uint64_t, MAX(old, src))
