/* Loads and stores (Unprivileged 2.6, 5.3, 11.5, 12.3) and cbo.zero. */
#include "guests/exec_mem.h"

/* After mem_load or mem_store: go on, or leave. */
#define AFTER(status)                                                                              \
    do {                                                                                           \
        if ((status) == MEM_OK)                                                                    \
            NEXT();                                                                                \
        if ((status) == MEM_LAST)                                                                  \
            sync_after(PASS);                                                                      \
        LEAVE();                                                                                   \
    } while (0)

/*
 * A misaligned access within a page that the TLB has comes to the slow half too, and is done at
 * once: some guests copy memory that way all the time.
 */
static inline bool within_page(uint64_t va, uint64_t tag, unsigned size)
{
    return (va & ~(uint64_t)PAGE_MASK) == tag && (va & PAGE_MASK) <= PAGE_SIZE - size;
}

#define LOAD(name, size, type, conv)                                                               \
    COLD void slow_##name(HANDLER_ARGS)                                                            \
    {                                                                                              \
        enum mem_status st;                                                                        \
        uint64_t va = ADDRESS;                                                                     \
                                                                                                   \
        if (within_page(va, tlb_at(h, va)->tag_load, size)) {                                      \
            RD = conv(AS(type, host_at(tlb_at(h, va), va)));                                       \
            NEXT();                                                                                \
        }                                                                                          \
        sync_before(PASS);                                                                         \
        st = mem_load(h, va, size);                                                                \
        if (st != MEM_FAULT)                                                                       \
            RD = conv((type)h->mem_value);                                                         \
        AFTER(st);                                                                                 \
    }                                                                                              \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        LOAD_##name;                                                                               \
        NEXT();                                                                                    \
    }

LOAD(lb, 1, int8_t, CONV_S)
LOAD(lh, 2, int16_t, CONV_S)
LOAD(lw, 4, int32_t, CONV_S)
LOAD(ld, 8, uint64_t, CONV_U)
LOAD(lbu, 1, uint8_t, CONV_U)
LOAD(lhu, 2, uint16_t, CONV_U)
LOAD(lwu, 4, uint32_t, CONV_U)

#define STORE(name, size, type)                                                                    \
    COLD void slow_##name(HANDLER_ARGS)                                                            \
    {                                                                                              \
        enum mem_status st;                                                                        \
        uint64_t va = ADDRESS;                                                                     \
                                                                                                   \
        if (within_page(va, tlb_at(h, va)->tag_store, size)) {                                     \
            AS(type, host_at(tlb_at(h, va), va)) = (type)RS2;                                      \
            NEXT();                                                                                \
        }                                                                                          \
        sync_before(PASS);                                                                         \
        st = mem_store(h, va, size, RS2);                                                          \
        AFTER(st);                                                                                 \
    }                                                                                              \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        STORE_##name;                                                                              \
        NEXT();                                                                                    \
    }

STORE(sb, 1, uint8_t)
STORE(sh, 2, uint16_t)
STORE(sw, 4, uint32_t)
STORE(sd, 8, uint64_t)

/* Floating-point loads make FS dirty, stores need it on; the slow half sees to both. */
static bool fs_dirty(const struct hart *h)
{
    return (h->mstatus & MSTATUS_FS) == MSTATUS_FS;
}

#define FLOAD(name, size, type, conv)                                                              \
    static COLD void slow_##name(HANDLER_ARGS)                                                     \
    {                                                                                              \
        enum mem_status st;                                                                        \
                                                                                                   \
        sync_before(PASS);                                                                         \
        if (!(h->mstatus & MSTATUS_FS)) {                                                          \
            trap_illegal(h);                                                                       \
            LEAVE();                                                                               \
        }                                                                                          \
        st = mem_load(h, ADDRESS, size);                                                           \
        if (st != MEM_FAULT) {                                                                     \
            h->mstatus |= MSTATUS_FS;                                                              \
            h->f[op->rd] = conv((type)h->mem_value);                                               \
        }                                                                                          \
        AFTER(st);                                                                                 \
    }                                                                                              \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        if (UNLIKELY(!fs_dirty(h)))                                                                \
            TAIL_RETURN slow_##name(PASS);                                                         \
        FAST_LOAD(type, h->f[op->rd], conv, slow_##name);                                          \
        NEXT();                                                                                    \
    }

FLOAD(flw, 4, uint32_t, CONV_BOX)
FLOAD(fld, 8, uint64_t, CONV_U)

#define FSTORE(name, size, type)                                                                   \
    static COLD void slow_##name(HANDLER_ARGS)                                                     \
    {                                                                                              \
        enum mem_status st;                                                                        \
                                                                                                   \
        sync_before(PASS);                                                                         \
        if (!(h->mstatus & MSTATUS_FS)) {                                                          \
            trap_illegal(h);                                                                       \
            LEAVE();                                                                               \
        }                                                                                          \
        st = mem_store(h, ADDRESS, size, h->f[op->rs2]);                                           \
        AFTER(st);                                                                                 \
    }                                                                                              \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        if (UNLIKELY(!(h->mstatus & MSTATUS_FS)))                                                  \
            TAIL_RETURN slow_##name(PASS);                                                         \
        FAST_STORE(type, h->f[op->rs2], slow_##name);                                              \
        NEXT();                                                                                    \
    }

FSTORE(fsw, 4, uint32_t)
FSTORE(fsd, 8, uint64_t)

HANDLER(cbo_zero)
{
    enum mem_status st;

    sync_before(PASS);
    if (!h->may_zero) {
        trap_illegal(h);
        LEAVE();
    }
    st = mem_zero_block(h, RS1);
    AFTER(st);
}
