/*
 * QEMU's words for several pairs of queues: a -netdev has them, and a card that says so uses them.
 *
 *     -netdev tap,id=n,queues=4 -device virtio-net-pci,netdev=n,mq=on
 *
 * There only a few netdevs have queues of their own; here it is the card that has them, so any
 * netdev may say how many. Options come in any order: this is settled when all have been read.
 */
#include <ctype.h>

#include "topo/classic.h"
#include "topo/schema.h"

const char *classic_queues_take(struct classic *c, struct classic_list *l)
{
    const char *value = topo_intern(c->t, classic_get(l, "queues"));
    size_t n = 0;
    char *end;
    if (!value)
        return NULL;
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->items[i].name, "queues") != 0)
            l->items[n++] = l->items[i];
    l->n = n;
    if (!isdigit((unsigned char)*value) || strtoul(value, &end, 10) < 1 || *end)
        classic_error(c, "queues=%s is not a number of at least 1", value);
    return value;
}

void classic_queues_want(struct classic *c, struct topo_nic *n, const struct classic_list *l)
{
    const char *mq = classic_get(l, "mq");
    if (!mq || strcmp(mq, "off") == 0)
        return;
    if (*mq && strcmp(mq, "on") != 0)
        classic_error(c, "mq=%s is not on or off", mq);
    else
        list_push(&c->multiqueue,
                  ((struct classic_multiqueue){n, topo_intern(c->t, classic_get(l, "netdev"))}));
}

void classic_queues_finish(struct classic *c)
{
    for (size_t i = 0; i < c->multiqueue.n; i++) {
        const struct classic_multiqueue *m = &c->multiqueue.items[i];
        const struct classic_netdev *n = m->netdev ? classic_netdev_find(c, m->netdev) : NULL;
        if (n && n->queues && !schema_given(&m->nic->object, "queues"))
            schema_set(c->t, &m->nic->object, "queues", n->queues, m->nic->object.place);
    }
}
