/*
 * The test finisher (SiFive test device; "sifive,test0" and "syscon" in the device tree): the low
 * 16 bits of a store say what, the high 16 bits are the exit code.
 */
#include "devices/finisher.h"

enum { FINISH_FAIL = 0x3333, FINISH_PASS = 0x5555, FINISH_RESET = 0x7777 };

static void finisher_write(struct device *dev, uint64_t offset, uint64_t value, unsigned size)
{
    static const struct {
        uint16_t value;
        enum power_request what;
    } requests[] = {
        {FINISH_FAIL, POWER_FAIL}, {FINISH_PASS, POWER_OFF}, {FINISH_RESET, POWER_RESET}};
    struct device_env *env = dev->env;

    (void)size;
    if (offset != 0 || !env->power)
        return;
    for (size_t i = 0; i < ARRAY_LEN(requests); i++)
        if ((value & 0xffff) == requests[i].value) {
            env->power(env, requests[i].what, (uint32_t)(value >> 16) & 0xffff);
            return;
        }
    device_warn(dev, "unknown request 0x%x", (unsigned)value);
}

static const struct device_ops finisher_ops = {
    .name = "finisher",
    .help = "test finisher: power off, fail, reset",
};

void finisher_init(struct finisher *f, struct device_env *env, const char *name)
{
    *f = (struct finisher){0};
    device_init(&f->dev, &finisher_ops, f, name, env);
    /* 16-bit stores are valid in QEMU and used by small kernels. */
    f->dev.region = (struct region){
        .name = "finisher", .size = 0x1000, .min_size = 2, .max_size = 4, .write = finisher_write};
}
