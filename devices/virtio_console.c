/*
 * virtio-console with its one port (virtio 1.2, 5.3). Output takes no virtual time; input is
 * given as soon as the driver has a buffer for it.
 */
#include "devices/virtio_console.h"

#define QUEUE_SIZE 128
#define OUTPUT_MAX (1u << 20) /* bytes of one chain; no driver sends a tenth of it */

#define CONSOLE_F_SIZE (1ULL << 0)
#define CONSOLE_F_EMERG_WRITE (1ULL << 2)

enum { RX, TX };

static struct virtio_console *console_of(struct virtio *v)
{
    return container_of(v, struct virtio_console, virtio);
}

/* Give the driver what has arrived, as far as its buffers go. */
static void receive(struct virtio_console *vc)
{
    struct virtio *v = &vc->virtio;
    struct virtio_queue *q = &v->queues[RX];
    struct virtio_chain c;
    uint8_t bytes[256];
    size_t n;

    while (console_available(&vc->console) && virtio_take(v, q, &c)) {
        n = MIN(MIN(c.in_len, sizeof bytes), console_available(&vc->console));
        n = console_read(&vc->console, bytes, n);
        if (n == 0 || !virtio_chain_write(v, &c, 0, bytes, n)) {
            virtio_fail(v, q, "a console buffer that cannot be written");
            return;
        }
        virtio_done(v, q, c.head, (uint32_t)n);
    }
    virtio_want_kicks(v, q, true);
    virtio_notify(v, q);
}

static void console_input(struct console *c)
{
    struct virtio_console *vc = container_of(c, struct virtio_console, console);

    if (virtio_live(&vc->virtio))
        receive(vc);
}

static const char *chain_output(struct virtio_console *vc, const struct virtio_chain *c)
{
    uint8_t bytes[1024];
    size_t n;

    if (c->out_len > OUTPUT_MAX)
        return "console output of more than 1 MiB at once";
    for (uint64_t at = 0; at < c->out_len; at += n) {
        n = MIN(c->out_len - at, sizeof bytes);
        if (!virtio_chain_read(&vc->virtio, c, at, bytes, n))
            return "a console buffer is not in RAM";
        if (!console_write(&vc->console, bytes, n))
            break; /* the rest would be lost as well */
    }
    return NULL;
}

static void transmit(struct virtio_console *vc)
{
    struct virtio *v = &vc->virtio;
    struct virtio_queue *q = &v->queues[TX];
    struct virtio_chain c;
    const char *wrong;

    for (unsigned i = 0; i < q->size && virtio_take(v, q, &c); i++) {
        wrong = chain_output(vc, &c);
        if (wrong) {
            virtio_fail(v, q, wrong);
            return;
        }
        virtio_done(v, q, c.head, 0);
    }
    virtio_want_kicks(v, q, true);
    virtio_notify(v, q);
}

static void console_kick(struct virtio *v, unsigned queue)
{
    if (queue == RX)
        receive(console_of(v));
    else
        transmit(console_of(v));
}

/* 5.3.4: { le16 cols, rows; le32 max_nr_ports; le32 emerg_wr } */
static void console_config_read(struct virtio *v)
{
    store_le16(v->config, 80);
    store_le16(v->config + 2, 25);
    store_le32(v->config + 4, 1);
    store_le32(v->config + 8, 0);
}

static void console_config_written(struct virtio *v, uint32_t offset, uint32_t len)
{
    (void)len;
    if (offset == 8) /* emergency write: one byte, in any state of the device */
        console_write(&console_of(v)->console, v->config + 8, 1);
}

static void console_device_reset(struct device *dev)
{
    virtio_reset(dev->object);
}

static void console_device_finish(struct device *dev)
{
    struct virtio_console *vc = dev->object;

    console_finish(&vc->console);
}

static void console_device_clone(struct device *dev, const struct device *from)
{
    virtio_clone(dev->object, from->object);
}

static const struct field console_fields[] = {
    VIRTIO_FIELDS(struct virtio_console),
    VIRTIO_QUEUE_FIELDS(struct virtio_console, queues[0]),
    VIRTIO_QUEUE_FIELDS(struct virtio_console, queues[1]),
    VIRTIO_MMIO_FIELDS(struct virtio_console),
    FIELD_END,
};

static const struct device_ops console_device_ops = {
    .name = "virtio-console",
    .help = "virtio console device with one port",
    .state = console_fields,
    .reset = console_device_reset,
    .clone = console_device_clone,
    .finish = console_device_finish,
};

static const struct virtio_ops console_ops = {
    .name = "console",
    .id = 3,
    .config_size = 12,
    .kick = console_kick,
    .config_read = console_config_read,
    .config_written = console_config_written,
};

void virtio_console_init(struct virtio_console *c, struct device_env *env, const char *name,
                         const char *console_name, bool legacy)
{
    *c = (struct virtio_console){0};
    device_init(&c->dev, &console_device_ops, c, name, env);
    console_init(&c->console, env->actor, console_name);
    c->console.input = console_input;
    virtio_init(&c->virtio, &console_ops, &c->dev, CONSOLE_F_SIZE | CONSOLE_F_EMERG_WRITE,
                c->queues, ARRAY_LEN(c->queues));
    virtio_add_queue(&c->virtio, RX, QUEUE_SIZE);
    virtio_add_queue(&c->virtio, TX, QUEUE_SIZE);
    virtio_mmio_init(&c->mmio, &c->virtio, legacy);
}
