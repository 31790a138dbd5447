/* A virtio-net with four pairs of queues, and a driver that uses them. */
#include "mq_rig.h"

int several(void **state)
{
    (void)state;
    make(&(struct nic_config){.queues = PAIRS});
    return 0;
}

int several_legacy(void **state)
{
    (void)state;
    make(&(struct nic_config){.queues = PAIRS, .legacy = true});
    return 0;
}

/* --- a driver of all pairs --- */

uint64_t buffers[PAIRS];

void start_with(uint64_t features)
{
    driver_start(&drv, &rig, &nic->dev, features | MQ, 2 * PAIRS + 1, 16);
    for (unsigned i = 0; i < PAIRS; i++)
        buffers[i] = rig_alloc(&rig, 4096);
}

uint8_t control(const uint8_t *data, uint32_t len)
{
    static uint64_t out;
    unsigned queue = virtio_has(&net()->virtio, VIRTIO_NET_F_MQ) ? 2 * PAIRS : 2;

    out = RIG_RAM_BASE + RIG_RAM_SIZE - 4096;
    memcpy(rig_at(&rig, out), data, len);
    *rig_at(&rig, out + 100) = 0xee;
    driver_add(&drv, queue, (struct buf[]){{out, len, 0}, {out + 100, 1, DESC_WRITE}}, 2);
    driver_kick(&drv, queue);
    return *rig_at(&rig, out + 100);
}

uint8_t use_pairs(unsigned n)
{
    return control((uint8_t[]){4, 0, (uint8_t)n, (uint8_t)(n >> 8)}, 4);
}

void give_to(unsigned pair, unsigned n)
{
    while (n--)
        driver_add(&drv, 2 * pair, &(struct buf){buffers[pair], 2048, DESC_WRITE}, 1);
    driver_kick(&drv, 2 * pair);
    rig_advance(&rig, rig.actor.now);
}

void start_pairs(unsigned n)
{
    start_with(0);
    assert_int_equal(use_pairs(n), 0);
    for (unsigned i = 0; i < PAIRS; i++)
        give_to(i, 8);
}

/* Which pair has received a packet since it was last asked, and no other has; it gets a new buffer.
 */
unsigned where(void)
{
    unsigned found = NOWHERE;
    uint32_t id, len;

    for (unsigned i = 0; i < PAIRS; i++)
        while (driver_used(&drv, 2 * i, &id, &len)) {
            assert_int_equal(found, NOWHERE);
            found = i;
            give_to(i, 1);
        }
    return found;
}

/* --- frames of flows --- */

/* TCP between a host and port of ours (10.0.0.1) and one of theirs; in from them or out to them. */
uint32_t tcp(uint8_t *p, unsigned ours, unsigned theirs, bool in)
{
    uint32_t len = tcp_frame(p, 10);

    if (in) {
        store_be32(p + 26, 0x0a000002);
        store_be32(p + 30, 0x0a000001);
    }
    store_be16(p + 34, (uint16_t)(in ? theirs : ours));
    store_be16(p + 36, (uint16_t)(in ? ours : theirs));
    return len;
}

void send_from(unsigned pair, const uint8_t *bytes, uint32_t len)
{
    uint64_t at = RIG_RAM_BASE + RIG_RAM_SIZE - 8192;
    uint32_t id, written;

    memset(rig_at(&rig, at), 0, header());
    memcpy(rig_at(&rig, at + header()), bytes, len);
    driver_add(&drv, 2 * pair + 1, &(struct buf){at, header() + len, 0}, 1);
    driver_kick(&drv, 2 * pair + 1);
    assert_true(driver_used(&drv, 2 * pair + 1, &id, &written));
    rig_forget(&rig);
}

void arrive(const uint8_t *bytes, uint32_t len)
{
    struct frame *f = frame_from(bytes, len);

    rig_receive(&rig, &nic->port, f);
    frame_unref(f);
}

void send_tcp(unsigned pair, unsigned ours, unsigned theirs)
{
    uint8_t p[100];

    send_from(pair, p, tcp(p, ours, theirs, false));
}

void receive_tcp(unsigned ours, unsigned theirs)
{
    uint8_t p[100];

    arrive(p, tcp(p, ours, theirs, true));
}

unsigned answer_to(unsigned ours, unsigned theirs)
{
    receive_tcp(ours, theirs);
    return where();
}
