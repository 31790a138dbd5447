/*
 * The PLIC, after the RISC-V PLIC specification 1.0.0.
 *
 * Gateways are level-triggered: while its line is high and no request of it is pending or being
 * served, a gateway makes one request; completion opens it again (chapter 9).
 */
#include "devices/plic.h"

#include <assert.h>

/* The memory map (chapter 4). */
#define PRIORITY 0x000000
#define PENDING 0x001000
#define ENABLE 0x002000
#define ENABLE_STRIDE 0x80
#define CONTEXT 0x200000
#define CONTEXT_STRIDE 0x1000
#define CLAIM 4

static bool bit_get(const uint32_t *words, unsigned n)
{
    return words[n / 32] >> n % 32 & 1;
}

static void bit_set(uint32_t *words, unsigned n, bool v)
{
    words[n / 32] = (words[n / 32] & ~(1u << n % 32)) | (uint32_t)v << n % 32;
}

/* The pending source of highest priority, lowest number first, that a context sees; 0: none. */
static unsigned best(const struct plic *p, unsigned context)
{
    uint32_t priority = 0;
    unsigned source = 0;

    for (unsigned w = 0; w < PLIC_WORDS; w++) {
        uint32_t seen = p->pending[w] & p->enable[context * PLIC_WORDS + w];

        for (; seen; seen &= seen - 1) {
            unsigned n = w * 32 + (unsigned)__builtin_ctz(seen);

            if (p->priority[n] > priority) {
                priority = p->priority[n];
                source = n;
            }
        }
    }
    return source;
}

static void outputs_update(struct plic *p)
{
    for (unsigned i = 0; i < p->n_contexts; i++) {
        unsigned source = best(p, i);
        bool level = source && p->priority[source] > p->threshold[i]; /* chapter 7 */

        if (level == p->out[i])
            continue;
        p->out[i] = level;
        p->set(p->opaque, i, level);
    }
}

static void gateway_update(struct plic *p, unsigned source)
{
    if (bit_get(p->level, source) && !bit_get(p->busy, source))
        bit_set(p->pending, source, true);
}

static void line_set(struct irq_sink *sink, uint32_t n, bool level)
{
    struct plic *p = container_of(sink, struct plic, sink);

    assert(n > 0 && n < PLIC_SOURCES);
    bit_set(p->level, n, level);
    /* A request that was made stays pending, though the line fall (chapter 9). */
    gateway_update(p, n);
    outputs_update(p);
}

static uint32_t claim(struct plic *p, unsigned context)
{
    unsigned source = best(p, context); /* the threshold does not matter here (chapter 8) */

    if (source) {
        bit_set(p->pending, source, false);
        bit_set(p->busy, source, true);
        outputs_update(p);
    }
    return source;
}

static void complete(struct plic *p, unsigned context, uint32_t source)
{
    /* A source not enabled for the context is silently ignored (chapter 10). */
    if (source >= PLIC_SOURCES || !bit_get(&p->enable[context * PLIC_WORDS], source))
        return;
    bit_set(p->busy, source, false);
    gateway_update(p, source);
    outputs_update(p);
}

static uint64_t plic_read(struct device *dev, uint64_t offset, unsigned size)
{
    struct plic *p = dev->object;
    uint64_t context, rest;

    (void)size;
    if (offset < PENDING)
        return offset / 4 < PLIC_SOURCES ? p->priority[offset / 4] : 0;
    if (offset < ENABLE)
        return (offset - PENDING) / 4 < PLIC_WORDS ? p->pending[(offset - PENDING) / 4] : 0;
    if (offset < CONTEXT) {
        context = (offset - ENABLE) / ENABLE_STRIDE;
        rest = (offset - ENABLE) % ENABLE_STRIDE / 4;
        return context < p->n_contexts && rest < PLIC_WORDS
                   ? p->enable[context * PLIC_WORDS + rest]
                   : 0;
    }
    context = (offset - CONTEXT) / CONTEXT_STRIDE;
    rest = (offset - CONTEXT) % CONTEXT_STRIDE;
    if (context >= p->n_contexts)
        return 0;
    if (rest == CLAIM)
        return claim(p, (unsigned)context);
    return rest == 0 ? p->threshold[context] : 0;
}

static void context_write(struct plic *p, uint64_t offset, uint32_t value)
{
    uint64_t context = offset / CONTEXT_STRIDE;

    if (context >= p->n_contexts)
        return;
    if (offset % CONTEXT_STRIDE == CLAIM)
        complete(p, (unsigned)context, value);
    else if (offset % CONTEXT_STRIDE == 0)
        p->threshold[context] = value & PLIC_MAX_PRIORITY;
}

static void plic_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    struct plic *p = dev->object;
    uint64_t context, word;

    (void)size;
    if (offset < PENDING) {
        if (offset >= 4 && offset / 4 < PLIC_SOURCES)
            p->priority[offset / 4] = (uint32_t)value & PLIC_MAX_PRIORITY;
    } else if (offset >= CONTEXT) {
        context_write(p, offset - CONTEXT, (uint32_t)value);
    } else if (offset >= ENABLE) {
        context = (offset - ENABLE) / ENABLE_STRIDE;
        word = (offset - ENABLE) % ENABLE_STRIDE / 4;
        if (context < p->n_contexts && word < PLIC_WORDS) /* source 0 does not exist */
            p->enable[context * PLIC_WORDS + word] = (uint32_t)value & (word ? ~0u : ~1u);
    } /* pending bits are read-only (chapter 5) */
    outputs_update(p);
}

static void plic_reset(struct device *dev)
{
    struct plic *p = dev->object;

    for (unsigned i = 0; i < p->n_contexts; i++)
        p->set(p->opaque, i, false);
}

/* Lines belong to the devices: a reset of the machine resets those too. */
static const struct field plic_fields[] = {
    FIELD(struct plic, priority, FIELD_U32, 0),
    FIELD(struct plic, level, FIELD_U32, 0),
    FIELD(struct plic, pending, FIELD_U32, 0),
    FIELD(struct plic, busy, FIELD_U32, 0),
    FIELD(struct plic, enable, FIELD_U32, 0),
    FIELD(struct plic, threshold, FIELD_U32, 0),
    FIELD(struct plic, out, FIELD_BOOL, 0),
    FIELD_END,
};

static const struct device_ops plic_ops = {
    .name = "plic",
    .help = "platform-level interrupt controller",
    .state = plic_fields,
    .reset = plic_reset,
};

void plic_init(struct plic *p, struct device_env *env, const char *name, unsigned n_contexts,
               void (*set)(void *opaque, unsigned context, bool level), void *opaque)
{
    assert(n_contexts <= PLIC_MAX_CONTEXTS);
    *p = (struct plic){.n_contexts = n_contexts, .set = set, .opaque = opaque};
    p->sink.set = line_set;
    device_init(&p->dev, &plic_ops, p, name, env);
    p->dev.region = (struct region){
        .name = "plic",
        .size = PLIC_SIZE,
        .min_size = 4,
        .max_size = 4,
        .read = plic_read,
        .write = plic_write,
    };
}
