/* virtio-console: a single port, hvc0, with a console behind it (virtio 1.2, 5.3). */
#ifndef DEVICES_VIRTIO_CONSOLE_H
#define DEVICES_VIRTIO_CONSOLE_H

#include "devices/virtio_mmio.h"
#include "sim/console.h"

struct virtio_console {
    struct virtio virtio; /* first: see virtio.h */
    struct virtio_queue queues[2];
    struct virtio_mmio mmio;
    struct device dev;
    struct console console;
};

/** Its device is c->dev. */
void virtio_console_init(struct virtio_console *c, struct device_env *env, const char *name,
                         const char *console_name, bool legacy);

#endif
