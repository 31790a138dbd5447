/* Comparing two outcomes of one program, and telling the difference. */
#include "tests/diff/compare.h"

#include <stdio.h>

/* mcause (Privileged table 14). */
enum { CAUSE_BREAKPOINT = 3, CAUSE_LOAD_MISALIGNED = 4, CAUSE_STORE_AMO_MISALIGNED = 6 };

/*
 * mtval after ebreak is zero or the address, as an implementation likes (Privileged 3.1.16): QEMU
 * 7.2 has zero.
 */
static struct trap trap_comparable(struct trap t)
{
    if (t.cause == CAUSE_BREAKPOINT)
        t.tval = 0;
    return t;
}

/*
 * QEMU 7.2 reports a misaligned AMO as a misaligned load, after its first half; Privileged table 14
 * has one cause for stores and AMOs. No plain load or LR in these programs traps for that.
 */
static struct trap trap_of_qemu(struct trap t)
{
    if (t.cause == CAUSE_LOAD_MISALIGNED)
        t.cause = CAUSE_STORE_AMO_MISALIGNED;
    return trap_comparable(t);
}

static bool trap_same(const struct trap *ours, const struct trap *peer)
{
    struct trap x = trap_comparable(*ours), y = trap_of_qemu(*peer);

    return memcmp(&x, &y, sizeof(x)) == 0;
}

bool outcome_same(const struct outcome *ours, const struct outcome *peer)
{
    if (memcmp(ours, peer, OUTCOME_FIXED) != 0 ||
        memcmp(ours->scratch, peer->scratch, SCRATCH_BYTES) != 0)
        return false;
    for (uint64_t i = 0; i < ours->n_traps; i++)
        if (!trap_same(&ours->traps[i], &peer->traps[i]))
            return false;
    return true;
}

static void line(const char *what, unsigned i, uint64_t ours, uint64_t peer)
{
    if (ours != peer)
        printf("#   %s%u: ours %016llx, peer %016llx\n", what, i, (unsigned long long)ours,
               (unsigned long long)peer);
}

static void print_trap(const char *who, uint64_t i, const struct trap *t)
{
    printf("#   trap %llu, %s: cause %llx epc %llx tval %llx mstatus %llx\n",
           (unsigned long long)i, who, (unsigned long long)t->cause, (unsigned long long)t->epc,
           (unsigned long long)t->tval, (unsigned long long)t->status);
}

void outcome_print_difference(const struct outcome *ours, const struct outcome *peer)
{
    for (unsigned i = 0; i < 32; i++)
        line("x", i, ours->x[i], peer->x[i]);
    for (unsigned i = 0; i < 32; i++)
        line("f", i, ours->f[i], peer->f[i]);
    line("fcsr", 0, ours->fcsr, peer->fcsr);
    line("traps", 0, ours->n_traps, peer->n_traps);
    for (uint64_t i = 0; i < MAX(ours->n_traps, peer->n_traps); i++)
        if (!trap_same(&ours->traps[i], &peer->traps[i])) {
            print_trap("ours", i, &ours->traps[i]);
            print_trap("peer", i, &peer->traps[i]);
        }
    for (unsigned i = 0; i < SCRATCH_BYTES; i += 8)
        line("scratch+", i, load_le64(ours->scratch + i), load_le64(peer->scratch + i));
}
