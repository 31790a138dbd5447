/*
 * The instance device: which machine this is, for programs that may wake up in a clone.
 *
 * The generation ID follows Microsoft's "Virtual Machine Generation ID" as the device tree binding
 * microsoft,vmgenid has it: 16 bytes to be read, and an interrupt without registers. The line is
 * a pulse, since nothing could acknowledge a level: the PLIC keeps the request (1.0.0, chapter 9).
 */
#include "devices/instance.h"

#include "sim/rng.h"

#define MAGIC 0x696e616c /* "lani" */
#define VERSION 1
#define REG_NAME 0x40

static uint32_t word_read(const struct instance *in, uint64_t offset)
{
    const uint32_t words[] = {MAGIC, VERSION, in->number, in->generations,
                              (uint32_t)strlen(in->name)};

    return offset / 4 < ARRAY_LEN(words) ? words[offset / 4] : 0;
}

static uint8_t byte_read(const struct instance *in, uint64_t offset)
{
    if (offset < INSTANCE_GENID)
        return in->genid[offset];
    if (offset < INSTANCE_PAGE)
        return 0;
    offset -= INSTANCE_PAGE;
    if (offset >= REG_NAME)
        return offset < REG_NAME + INSTANCE_NAME ? (uint8_t)in->name[offset - REG_NAME] : 0;
    return (uint8_t)(word_read(in, offset) >> 8 * (offset & 3));
}

static uint64_t instance_read(struct device *dev, uint64_t offset, unsigned size)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)byte_read(dev->object, offset + i) << 8 * i;
    return v;
}

static void instance_cloned(struct device *dev)
{
    struct instance *in = dev->object;

    in->generations++;
    irq_set(&dev->irq, true);
    irq_set(&dev->irq, false);
}

/* A reset does not make it another machine, and what it is called is no state. */
static void instance_clone(struct device *dev, const struct device *from)
{
    ((struct instance *)dev->object)->generations =
        ((const struct instance *)from->object)->generations;
}

static const struct device_ops instance_ops = {
    .name = "instance",
    .help = "VM generation ID; number and name of the machine",
    .clone = instance_clone,
    .cloned = instance_cloned,
};

void instance_init(struct instance *in, struct device_env *env, const char *name,
                   const char *machine, uint32_t number)
{
    struct rng rng;

    *in = (struct instance){.number = number};
    device_init(&in->dev, &instance_ops, in, name, env);
    strncpy(in->name, machine, sizeof(in->name) - 1);
    rng_init(&rng, env->run_seed, name);
    rng_fill(&rng, in->genid, sizeof(in->genid));
    in->dev.region = (struct region){.name = "instance",
                                     .size = INSTANCE_SIZE,
                                     .min_size = 1,
                                     .max_size = 8,
                                     .read = instance_read};
}
