/*
 * The rtl8139's tally counters, which the C+ writes to memory when asked to (DTCCR).
 *
 *     | TxOk 64 | RxOk 64 | TxER 64 | RxER 32 | MissPkt 16 | FAE 16 | Tx1Col 32 | TxMCol 32 |
 *     | RxOkPhy 64 | RxOkBrd 64 | RxOkMul 32 | TxAbt 16 | TxUndrn 16 |
 *
 * Simplification: errors and collisions are not there, and stay zero.
 */
#include "devices/rtl8139_internal.h"

#define DTCCR_DUMP 0x08
#define TALLY_SIZE 64

static const struct {
    uint8_t at, size;
} tallies[RTL_TALLIES] = {
    [TALLY_TX_OK] = {0, 8},        [TALLY_RX_OK] = {8, 8},         [TALLY_MISSED] = {28, 2},
    [TALLY_RX_PHYSICAL] = {40, 8}, [TALLY_RX_BROADCAST] = {48, 8}, [TALLY_RX_MULTICAST] = {56, 4},
};

void rtl8139_tally_dump(struct rtl8139 *d)
{
    uint64_t at = load_le64(d->regs + RTL_DTCCR) & ~(TALLY_SIZE - 1ULL);
    uint8_t out[TALLY_SIZE] = {0};

    if (!(d->regs[RTL_DTCCR] & DTCCR_DUMP))
        return;
    d->regs[RTL_DTCCR] &= (uint8_t)~DTCCR_DUMP; /* it is done */
    for (unsigned i = 0; i < RTL_TALLIES; i++)
        for (unsigned k = 0; k < tallies[i].size; k++)
            out[tallies[i].at + k] = (uint8_t)(d->tally[i] >> 8 * k);
    if (!rtl8139_dma(d)->write(rtl8139_dma(d), at, out, sizeof(out))) {
        device_warn(&d->nic.dev, "tally counters to 0x%llx, which is not RAM",
                    (unsigned long long)at);
        rtl8139_raise(d, ISR_SERR);
    }
}
