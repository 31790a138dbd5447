/* What the files of the CPU share: caches, translation, memory access, traps, CSRs. */
#ifndef GUESTS_CPU_H
#define GUESTS_CPU_H

#include "guests/code.h"
#include "guests/fpu.h"
#include "guests/hart.h"

/* Exception causes (Privileged 3.1.15). */
enum cause {
    CAUSE_NONE = -1,
    CAUSE_FETCH_ACCESS = 1,
    CAUSE_ILLEGAL = 2,
    CAUSE_BREAKPOINT = 3,
    CAUSE_LOAD_MISALIGNED = 4,
    CAUSE_LOAD_ACCESS = 5,
    CAUSE_STORE_MISALIGNED = 6,
    CAUSE_STORE_ACCESS = 7,
    CAUSE_ECALL_U = 8,
    CAUSE_ECALL_S = 9,
    CAUSE_ECALL_M = 11,
    CAUSE_FETCH_PAGE = 12,
    CAUSE_LOAD_PAGE = 13,
    CAUSE_STORE_PAGE = 15,
};

#define MSTATUS_SIE (1ULL << 1)
#define MSTATUS_MIE (1ULL << 3)
#define MSTATUS_SPIE (1ULL << 5)
#define MSTATUS_MPIE (1ULL << 7)
#define MSTATUS_SPP (1ULL << 8)
#define MSTATUS_MPP_SHIFT 11
#define MSTATUS_MPP (3ULL << MSTATUS_MPP_SHIFT)
#define MSTATUS_FS (3ULL << 13)
#define MSTATUS_MPRV (1ULL << 17)
#define MSTATUS_SUM (1ULL << 18)
#define MSTATUS_MXR (1ULL << 19)
#define MSTATUS_TVM (1ULL << 20)
#define MSTATUS_TW (1ULL << 21)
#define MSTATUS_TSR (1ULL << 22)
#define MSTATUS_XL (10ULL << 32) /* UXL and SXL: 64 bits */
#define MSTATUS_SD (1ULL << 63)

#define MENVCFG_CBZE (1ULL << 7)
#define MENVCFG_STCE (1ULL << 63)

enum access { ACCESS_LOAD, ACCESS_STORE, ACCESS_FETCH };

#define BIT(n) (1ULL << (n))

/* --- Translation caches (tlb.c) --- */

/**
 * What a data TLB knows of a virtual page, in two layers. `arch` is the translation as an
 * architectural TLB holds it: it goes only when the guest says so or another page takes its
 * place. The tags say whether the host pointer may be used without further ado: they come and go
 * as pages are shared, copied and decoded, which the guest must not be able to see, not even
 * if it forgets an sfence.vma. They match no address when their lower bits are ones.
 */
struct tlb_entry {
    uint64_t tag_load, tag_store;
    uint64_t addend; /* host address - virtual address */
    uint64_t arch;   /* virtual page | ARCH_ bits; 0: none */
};

#define TAG_NONE UINT64_MAX
#define ARCH_R 1u
#define ARCH_W 2u
#define ARCH_LEVEL_SHIFT 2 /* of the leaf: 0 for 4 KiB */

/* Which translations hold for a data access: by effective privilege, and SUM in S-mode. */
enum bank { BANK_U, BANK_S, BANK_S_SUM, BANK_M, BANK_COUNT };

struct tlb {
    uint32_t n;         /* entries, a power of two */
    uint32_t conflicts; /* replacements since it had this size */
    uint64_t super_low, super_high; /* parts of superpages lie between these addresses only */
    uint64_t *pa;       /* of each entry's page */
    uint64_t *seen;     /* bits by physical page, 8 an entry: which it may have entries for */
    struct tlb_entry e[];
};

/** Where a program counter's block is. */
struct jump {
    uint64_t key; /* pc ^ jump_xor; odd: none */
    struct block *block;
};

/** Fetch translations: every block in the jump cache lies in a page that is here. */
struct fetch_entry {
    uint64_t key; /* virtual page | FETCH_VALID | level << 2 | privilege << 4; 0: none */
    uint64_t pa;
};
#define FETCH_VALID 1u

struct fetch_tlb {
    uint32_t n, conflicts;
    uint64_t super_low, super_high; /* as in a struct tlb */
    struct fetch_entry e[];
};

struct jump_cache {
    uint32_t n, conflicts;
    uint64_t since; /* icount when conflicts was 0 */
    struct jump e[];
};

struct resume {
    const struct op *op;
    uint64_t page_va;
    int64_t left;
};

struct hart_caches {
    uint64_t until; /* where the present run ends */
    bool running;
    bool synced;       /* the run ends with HART_SYNC */
    bool code_changed; /* code went while a handler wrote memory: leave the block */
    struct resume resume;
    struct tlb *banks[BANK_COUNT];
    struct fetch_tlb *fetch;
    struct jump_cache *jumps;
    struct code **dead; /* code dropped that may still be executing */
    uint32_t n_dead, cap_dead;
    struct fpu_host fpu;
    _Alignas(16) uint8_t block[BLOCK_BYTES(BLOCK_MAX)]; /* a temporary one */
};

/** Privilege, MPRV, MPP or SUM changed: select the caches that hold now. */
void tlb_select(struct hart *h);

/** Forget translations: all that depend on satp, or those of a page (sfence.vma). */
void tlb_flush(struct hart *h);
void tlb_flush_page(struct hart *h, uint64_t va);

/**
 * Translate for a data access (not across a page's end), and remember it.
 * CAUSE_NONE, or the exception. PMP is for the caller to check.
 */
enum cause tlb_translate(struct hart *h, uint64_t va, enum access access, uint64_t *pa);

/** Let the fast path have the page of `va`, just translated, as far as it may. */
void tlb_map(struct hart *h, uint64_t va);

/** The page at pa has code from now on: stores must look. For all harts of the machine. */
void tlb_protect(struct hart_env *env, uint64_t pa);

/** Translate the pc. */
enum cause tlb_fetch(struct hart *h, uint64_t va, uint64_t *pa);
void tlb_add_jump(struct hart *h, uint64_t pc, struct block *b);
void tlb_flush_jumps(struct hart *h);

static inline struct tlb_entry *tlb_at(const struct hart *h, uint64_t va)
{
    return (struct tlb_entry *)((char *)h->tlb + (va >> (PAGE_SHIFT - 5) & h->tlb_mask));
}

_Static_assert(sizeof(struct tlb_entry) == 32, "tlb_at shifts by it");

/** Virtual page and misalignment: what an aligned access of `size` has in its tag. */
static inline uint64_t tlb_tag(uint64_t va, unsigned size)
{
    return va & (~(uint64_t)PAGE_MASK | (size - 1));
}

static inline struct jump *jump_at(const struct hart *h, uint64_t pc)
{
    return (struct jump *)((char *)h->jumps + (pc << 3 & h->jump_mask));
}

_Static_assert(sizeof(struct jump) == 16, "jump_at shifts by it");

/* --- Page tables (mmu.c) and protection (pmp.c) --- */

/** Privilege that loads and stores have: MPRV considered. */
enum priv mmu_data_priv(const struct hart *h);

/** Translate; sets A and D in the table if `update`. *level: of the leaf. */
enum cause mmu_walk(struct hart *h, uint64_t va, enum access access, enum priv priv, bool update,
                    uint64_t *pa, unsigned *level);

bool pmp_check(const struct hart *h, uint64_t pa, unsigned len, enum access access,
               enum priv priv);
enum pmp_page { PMP_DENY, PMP_ALLOW, PMP_MIXED };
/** The same for a whole page: mixed if its bytes differ. */
enum pmp_page pmp_check_page(const struct hart *h, uint64_t pa, enum access access,
                             enum priv priv);
uint64_t pmp_read_cfg(const struct hart *h, unsigned reg); /* pmpcfg0, pmpcfg2 */
void pmp_write_cfg(struct hart *h, unsigned reg, uint64_t v);
void pmp_write_addr(struct hart *h, unsigned i, uint64_t v);

/* --- Memory access, beyond the fast path (mem.c). pc and icount are exact. --- */

enum mem_status {
    MEM_OK,
    MEM_FAULT, /* the trap has been taken: leave */
    MEM_LAST,  /* done, but the block must be left after this instruction */
};

/** The value read is in h->mem_value, zero-extended. */
enum mem_status mem_load(struct hart *h, uint64_t va, unsigned size);
enum mem_status mem_store(struct hart *h, uint64_t va, unsigned size, uint64_t value);

/**
 * RAM to read or write in place, aligned, its physical address in h->mem_value; NULL: the trap
 * has been taken. For chapter 8.
 */
uint8_t *mem_atomic(struct hart *h, uint64_t va, unsigned size, enum access access);

/** Whether the hart may CBO.ZERO: below M as menvcfg says, in U also senvcfg (CMO 2.4). */
bool mem_may_zero(const struct hart *h);

/** Zero the 64-byte block around va. */
enum mem_status mem_zero_block(struct hart *h, uint64_t va);

/** The instruction's bits at pc, which has been fetched before: for tval. */
uint32_t mem_insn_bits(struct hart *h);

/* --- Traps (trap.c), CSRs (csr.c), floating point --- */

/** Take an exception at h->pc. */
void trap_raise(struct hart *h, enum cause cause, uint64_t tval);
/** Illegal instruction, with its bits. */
void trap_illegal(struct hart *h);
/** Take the interrupt that has priority, if one is pending and enabled. */
void trap_interrupt(struct hart *h);
void trap_sret(struct hart *h);
void trap_mret(struct hart *h);

enum csr_status { CSR_OK, CSR_ILLEGAL, CSR_LEAVE };
/** One Zicsr instruction: `bits` its encoding, rs1 the source (register or immediate). */
enum csr_status csr_execute(struct hart *h, uint32_t bits, uint64_t rs1, uint64_t *rd);

/** Take the flags out of the host's unit: before anyone looks at fflags, FS or leaves. */
void fp_sync(struct hart *h);

#endif
