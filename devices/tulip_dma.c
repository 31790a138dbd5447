/*
 * The tulip's descriptors and buffers in memory, in either byte order (278074, 4.2).
 *
 *     | OWN, status | control, size 2 11, size 1 11 | buffer 1 | buffer 2, or the next descriptor |
 *
 * CSR0.DBO turns the bytes of a descriptor's words round, CSR0.BLE those of each longword of a
 * buffer. What is not in RAM is a fatal bus error, after which nothing is done until a software
 * reset.
 */
#include "devices/tulip_internal.h"

#define DESCRIPTOR 16
#define SIZE_BITS 11
#define SIZE_MASK ((1u << SIZE_BITS) - 1)
#define SPAN (SIZE_MASK + 8) /* longwords around the longest buffer */

static struct dma *dma_of(struct tulip *d)
{
    return d->nic.dev.env->dma;
}

static bool bus_error(struct tulip *d, const char *what, uint32_t at)
{
    device_warn(&d->nic.dev, "%s at 0x%x cannot be reached", what, at);
    d->fatal = true;
    d->csr[5] = (d->csr[5] & ~(uint32_t)CSR5_EB) | CSR5_MASTER_ABORT;
    tulip_rx_set(d, RS_STOPPED);
    tulip_tx_set(d, TS_STOPPED);
    tulip_raise(d, CSR5_FBE);
    return false;
}

/* --- descriptors --- */

static uint32_t word_load(const struct tulip *d, const uint8_t *p)
{
    return d->csr[0] & CSR0_DBO ? load_be32(p) : load_le32(p);
}

bool tulip_descriptor_read(struct tulip *d, uint32_t at, struct tulip_descriptor *x)
{
    uint8_t w[DESCRIPTOR];

    if (d->fatal || !dma_of(d)->read(dma_of(d), at, w, sizeof(w)))
        return !d->fatal && bus_error(d, "a descriptor", at);
    *x = (struct tulip_descriptor){word_load(d, w), word_load(d, w + 4), word_load(d, w + 8),
                                   word_load(d, w + 12)};
    return true;
}

bool tulip_status_write(struct tulip *d, uint32_t at, uint32_t status)
{
    uint8_t w[4];

    if (d->csr[0] & CSR0_DBO)
        store_be32(w, status);
    else
        store_le32(w, status);
    return dma_of(d)->write(dma_of(d), at, w, sizeof(w)) || bus_error(d, "a descriptor", at);
}

uint32_t tulip_size1(const struct tulip_descriptor *x)
{
    return x->control & SIZE_MASK;
}

uint32_t tulip_size2(const struct tulip_descriptor *x)
{
    return x->control & D_CHAINED ? 0 : x->control >> SIZE_BITS & SIZE_MASK;
}

uint32_t tulip_next(const struct tulip *d, uint32_t at, const struct tulip_descriptor *x,
                    uint32_t base)
{
    if (x->control & D_RING_END)
        return base;
    if (x->control & D_CHAINED)
        return x->buffer2 & ~3u;
    return at + DESCRIPTOR + (d->csr[0] & CSR0_DSL); /* which counts longwords from its bit 2 on */
}

/* --- buffers --- */

/* The longwords around a buffer. */
struct span {
    uint64_t at;
    uint32_t first, len; /* where in it the buffer begins; the whole of it */
    uint8_t bytes[SPAN];
};

static bool span_read(struct tulip *d, struct span *s, uint32_t at, uint32_t len)
{
    s->at = at & ~3u;
    s->first = at & 3;
    s->len = (s->first + len + 3) & ~3u;
    return dma_of(d)->read(dma_of(d), s->at, s->bytes, s->len);
}

static bool swapped_read(struct tulip *d, uint32_t at, uint8_t *to, uint32_t len)
{
    struct span s;

    if (!span_read(d, &s, at, len))
        return false;
    for (uint32_t i = 0; i < len; i++)
        to[i] = s.bytes[(s.first + i) ^ 3];
    return true;
}

static bool swapped_write(struct tulip *d, uint32_t at, const uint8_t *from, uint32_t len)
{
    struct span s;

    if (!span_read(d, &s, at, len))
        return false;
    for (uint32_t i = 0; i < len; i++)
        s.bytes[(s.first + i) ^ 3] = from[i];
    return dma_of(d)->write(dma_of(d), s.at, s.bytes, s.len);
}

bool tulip_buffer_read(struct tulip *d, uint32_t at, uint8_t *to, uint32_t len)
{
    bool done = len == 0 || (d->csr[0] & CSR0_BLE ? swapped_read(d, at, to, len)
                                                  : dma_of(d)->read(dma_of(d), at, to, len));

    return done || bus_error(d, "a TX buffer", at);
}

bool tulip_buffer_write(struct tulip *d, uint32_t at, const uint8_t *from, uint32_t len)
{
    bool done = len == 0 || (d->csr[0] & CSR0_BLE ? swapped_write(d, at, from, len)
                                                  : dma_of(d)->write(dma_of(d), at, from, len));

    return done || bus_error(d, "an RX buffer", at);
}
