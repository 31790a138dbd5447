/* Rings that lie and registers written at random: every virtio device survives both. */
#include "driver.h"

#include "devices/clint.h"
#include "devices/finisher.h"
#include "devices/goldfish_rtc.h"
#include "devices/plic.h"
#include "devices/uart16550.h"
#include "devices/virtio_console.h"
#include "devices/virtio_net.h"
#include "devices/virtio_rng.h"
#include "sim/rng.h"

#define LINE 3

static struct rig rig;
static struct virtio_rng rng;
static struct driver drv;

static void no_line(void *opaque, unsigned hart, unsigned irq, bool level)
{
    (void)opaque, (void)hart, (void)irq, (void)level;
}

static void no_context(void *opaque, unsigned context, bool level)
{
    (void)opaque, (void)context, (void)level;
}

/* Everything of a board, in one list. */
static struct zoo {
    struct uart16550 uart;
    struct clint clint;
    struct plic plic;
    struct goldfish_rtc rtc;
    struct finisher finisher;
    struct virtio_console console;
    struct nic *nics[2];
    struct device *all[16];
    unsigned n;
} zoo;

static void zoo_add(struct device *dev)
{
    zoo.all[zoo.n++] = dev;
}

static void zoo_init(void)
{
    static const struct clint_ops ops = {.set = no_line};
    struct nic_config config = {0};
    struct err err = {0};

    zoo.n = 0;
    uart16550_init(&zoo.uart, &rig.env, "rig.uart", "rig");
    clint_init(&zoo.clint, &rig.env, "rig.clint", 2, &ops, NULL);
    plic_init(&zoo.plic, &rig.env, "rig.plic", 4, no_context, NULL);
    goldfish_rtc_init(&zoo.rtc, &rig.env, "rig.rtc", 0);
    finisher_init(&zoo.finisher, &rig.env, "rig.test");
    virtio_console_init(&zoo.console, &rig.env, "rig.hvc0", "rig.hvc", false);
    for (unsigned i = 0; i < 2; i++) {
        config.legacy = i;
        zoo.nics[i] = virtio_net_create(&rig.env, i ? "rig.eth1" : "rig.eth0", &config, &err);
    }
    zoo_add(&zoo.uart.dev);
    zoo_add(&zoo.clint.dev);
    zoo_add(&zoo.plic.dev);
    zoo_add(&zoo.rtc.dev);
    zoo_add(&zoo.finisher.dev);
    zoo_add(&zoo.console.dev);
    zoo_add(&zoo.nics[0]->dev);
    zoo_add(&zoo.nics[1]->dev);
    zoo_add(&rng.dev);
    for (unsigned i = 0; i < zoo.n; i++) {
        zoo.all[i]->irq.sink = &zoo.plic.sink;
        zoo.all[i]->irq.n = i + 1;
    }
}

static void zoo_finish(void)
{
    nic_destroy(zoo.nics[0]);
    nic_destroy(zoo.nics[1]);
    for (unsigned i = 0; i < 6; i++)
        device_finish(zoo.all[i]);
    zoo.n = 0;
}

static int setup_rng(void **state, bool legacy)
{
    (void)state;
    rig_init(&rig);
    virtio_rng_init(&rng, &rig.env, "rig.rng", legacy);
    rig_wire(&rig, &rng.dev, LINE);
    return 0;
}

static int modern(void **state)
{
    return setup_rng(state, false);
}

static int legacy(void **state)
{
    return setup_rng(state, true);
}

static int teardown(void **state)
{
    (void)state;
    if (zoo.n)
        zoo_finish();
    device_finish(&rng.dev);
    rig_finish(&rig);
    return 0;
}

static void start(void)
{
    driver_start(&drv, &rig, &rng.dev, VIRTIO_F_INDIRECT_DESC, 1, 8);
}

/* One request that is as it should be gives 16 bytes. */
static void works(void)
{
    uint32_t id, len;

    start();
    driver_add(&drv, 0, &(struct buf){rig_alloc(&rig, 16), 16, DESC_WRITE}, 1);
    driver_kick(&drv, 0);
    assert_true(driver_used(&drv, 0, &id, &len));
    assert_int_equal(len, 16);
}

/* Kick what was made available: the device must fail, and work again after a reset. */
static void must_fail(void)
{
    uint64_t before = device_warnings;

    driver_kick(&drv, 0);
    assert_true(device_warnings > before);
    driver_expect_failed(&drv, 0);
    works();
}

/* Descriptor lists that loop. */
static void a_chain_that_loops_ends(void **state)
{
    (void)state;
    start();
    driver_desc(&drv, 0, 0, (struct buf){RIG_RAM_BASE, 16, DESC_WRITE | DESC_NEXT}, 1);
    driver_desc(&drv, 0, 1, (struct buf){RIG_RAM_BASE, 16, DESC_WRITE | DESC_NEXT}, 0);
    driver_offer(&drv, 0, 0);
    must_fail();
    start();
    driver_desc(&drv, 0, 5, (struct buf){RIG_RAM_BASE, 16, DESC_WRITE | DESC_NEXT}, 5);
    driver_offer(&drv, 0, 5);
    must_fail();
}

static void an_index_outside_of_its_table_is_refused(void **state)
{
    (void)state;
    start();
    driver_offer(&drv, 0, 8);
    must_fail();
    start();
    driver_offer(&drv, 0, 0xffff);
    must_fail();
    start();
    driver_desc(&drv, 0, 0, (struct buf){RIG_RAM_BASE, 16, DESC_WRITE | DESC_NEXT}, 8);
    driver_offer(&drv, 0, 0);
    must_fail();
}

static void an_available_index_that_jumps_is_refused(void **state)
{
    (void)state;
    start();
    store_le16(rig_at(&rig, drv.rings[0].avail + 2), 9);
    must_fail();
    start();
    store_le16(rig_at(&rig, drv.rings[0].avail + 2), 0xffff);
    must_fail();
}

static void a_readable_buffer_behind_a_writable_one_is_refused(void **state)
{
    (void)state;
    start();
    driver_add(&drv, 0,
               (struct buf[]){{RIG_RAM_BASE, 16, DESC_WRITE}, {RIG_RAM_BASE, 16, 0}}, 2);
    must_fail();
}

static void a_buffer_that_is_not_ram_is_refused(void **state)
{
    static const struct buf wrong[] = {
        {0x10001000, 16, DESC_WRITE}, /* the device's own registers (CVE-2021-3416) */
        {RIG_RAM_BASE - 8, 16, DESC_WRITE},
        {RIG_RAM_BASE + RIG_RAM_SIZE - 8, 16, DESC_WRITE},
        {~0ULL, 16, DESC_WRITE},
        {~0ULL - 15, 16, DESC_WRITE},
        {RIG_RAM_BASE, 0, DESC_WRITE},
        {RIG_RAM_BASE, 16, 0},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        start();
        driver_add(&drv, 0, &wrong[i], 1);
        must_fail();
    }
}

static void an_indirect_table_that_breaks_the_rules_is_refused(void **state)
{
    static const struct buf wrong[] = {
        {RIG_RAM_BASE, 0, DESC_INDIRECT},
        {RIG_RAM_BASE, 17, DESC_INDIRECT},
        {RIG_RAM_BASE, 16, DESC_INDIRECT | DESC_NEXT},
        {RIG_RAM_BASE + RIG_RAM_SIZE, 16, DESC_INDIRECT},
        {0x1000, 0xfffffff0, DESC_INDIRECT},
    };
    uint64_t table;
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        start();
        driver_add(&drv, 0, &wrong[i], 1);
        must_fail();
    }
    start(); /* a table inside of a table */
    table = rig_alloc(&rig, 16);
    store_le64(rig_at(&rig, table), table);
    store_le32(rig_at(&rig, table + 8), 16);
    store_le16(rig_at(&rig, table + 12), DESC_INDIRECT);
    driver_add(&drv, 0, &(struct buf){table, 16, DESC_INDIRECT}, 1);
    must_fail();
}

static void an_indirect_table_may_be_longer_than_the_queue_but_not_endless(void **state)
{
    uint64_t table;
    uint32_t id, len;
    (void)state;
    start();
    table = rig_alloc(&rig, 2000 * 16);
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t *d = rig_at(&rig, table + 16 * i);

        store_le64(d, RIG_RAM_BASE + RIG_RAM_SIZE - 64);
        store_le32(d + 8, 1);
        store_le16(d + 12, DESC_WRITE | (i == 31 ? 0 : DESC_NEXT));
        store_le16(d + 14, (uint16_t)(i + 1));
    }
    driver_add(&drv, 0, &(struct buf){table, 32 * 16, DESC_INDIRECT}, 1);
    driver_kick(&drv, 0);
    assert_true(driver_used(&drv, 0, &id, &len));
    assert_int_equal(len, 32);
    store_le16(rig_at(&rig, table + 16 * 31 + 12), DESC_WRITE | DESC_NEXT);
    driver_add(&drv, 0, &(struct buf){table, 2000 * 16, DESC_INDIRECT}, 1);
    must_fail();
}

static void indirect_descriptors_must_be_negotiated(void **state)
{
    (void)state;
    driver_start(&drv, &rig, &rng.dev, 0, 1, 8);
    driver_add(&drv, 0, &(struct buf){rig_alloc(&rig, 16), 16, DESC_INDIRECT}, 1);
    must_fail();
}

static void a_chain_of_more_than_4_gib_is_refused(void **state)
{
    (void)state;
    start();
    driver_add(&drv, 0,
               (struct buf[]){{RIG_RAM_BASE, 0xffffffff, DESC_WRITE},
                              {RIG_RAM_BASE, 0xffffffff, DESC_WRITE}},
               2);
    must_fail();
}

/* Rings elsewhere than in RAM. */
static void rings_that_are_not_ram_are_refused(void **state)
{
    (void)state;
    for (unsigned part = 0; part < 3; part++) {
        struct virtio_queue *q = &rng.virtio.queues[0];

        start();
        driver_add(&drv, 0, &(struct buf){rig_alloc(&rig, 16), 16, DESC_WRITE}, 1);
        *(part == 0 ? &q->desc : part == 1 ? &q->avail : &q->used) = ~0ULL << 4;
        must_fail();
    }
}

static void what_a_modern_driver_may_not_do_is_refused(void **state)
{
    uint64_t warned;
    (void)state;
    driver_prepare(&drv, &rig, &rng.dev, 0, 1, 8);
    warned = device_warnings;
    mm_write(&drv, MM_DESC, 0x1000); /* moving a queue in use */
    assert_int_equal(device_warnings, ++warned);
    assert_int_equal((uint32_t)rng.virtio.queues[0].desc, (uint32_t)drv.rings[0].desc);
    mm_write(&drv, MM_NUM, 4); /* or giving it another size */
    assert_int_equal(device_warnings, ++warned);
    mm_write(&drv, MM_READY, 0);
    mm_write(&drv, MM_NUM, 3);
    mm_write(&drv, MM_NUM, 0);
    mm_write(&drv, MM_NUM, 0x10000);
    assert_int_equal(device_warnings, warned + 3);
    mm_write(&drv, MM_DESC, 4); /* not aligned */
    mm_write(&drv, MM_READY, 1);
    assert_true(mm_read(&drv, MM_STATUS) & VIRTIO_NEEDS_RESET);
    works();
}

static void registers_of_the_other_interface_are_not_there(void **state)
{
    uint64_t warned;
    (void)state;
    start();
    warned = device_warnings;
    assert_int_equal(mm_read(&drv, drv.legacy ? MM_READY : MM_PFN), 0);
    mm_write(&drv, drv.legacy ? MM_READY : MM_PFN, 1);
    assert_int_equal(rig_read(drv.dev, MM_MAGIC, 1), 0);
    assert_int_equal(device_warnings, warned + 3);
    works();
}

static void queues_that_do_not_exist_have_no_size(void **state)
{
    (void)state;
    start();
    for (uint32_t n = 1; n; n = n * 3 + (n > 1000000)) {
        mm_write(&drv, MM_QUEUE_SEL, n);
        assert_int_equal(mm_read(&drv, MM_NUM_MAX), 0);
        mm_write(&drv, MM_NUM, 8);
        mm_write(&drv, drv.legacy ? MM_PFN : MM_READY, 1);
        mm_write(&drv, drv.legacy ? MM_ALIGN : MM_DESC, 4096);
        mm_write(&drv, MM_NOTIFY, n);
        if (n > 1u << 30)
            break;
    }
    works();
}

static void indices_wrap_at_the_end_of_sixteen_bits(void **state)
{
    uint32_t id, len;
    uint64_t at;
    (void)state;
    driver_start(&drv, &rig, &rng.dev, VIRTIO_F_EVENT_IDX, 1, 8);
    at = rig_alloc(&rig, 16);
    for (unsigned i = 0; i < 70000; i++) {
        driver_add(&drv, 0, &(struct buf){at, 16, DESC_WRITE}, 1);
        driver_set_used_event(&drv, 0, (uint16_t)i);
        driver_kick(&drv, 0);
        assert_true(driver_used(&drv, 0, &id, &len));
        assert_true(rig.line[LINE]);
        mm_write(&drv, MM_ACK, 1);
    }
}

static void an_empty_slot_says_so(void **state)
{
    struct device dev;
    (void)state;
    for (unsigned version = 1; version <= 2; version++) {
        virtio_mmio_empty_init(&dev, &rig.env, "rig.slot", version == 1);
        assert_int_equal(rig_read(&dev, MM_MAGIC, 4), 0x74726976);
        assert_int_equal(rig_read(&dev, MM_VERSION, 4), version);
        assert_int_equal(rig_read(&dev, MM_DEVICE_ID, 4), 0);
        assert_int_equal(rig_read(&dev, MM_VENDOR, 4), 0x554d4551);
        assert_int_equal(rig_read(&dev, MM_FEATURES, 4), 0);
        rig_write(&dev, MM_STATUS, 3, 4);
        rig_check_reset(&rig, &dev);
        device_finish(&dev);
    }
}

/* --- at random --- */

/* A value that is more often than not something a device might care for. */
static uint64_t likely(struct rng *g)
{
    switch (rng_below(g, 5)) {
    case 0: return rng_below(g, 16);
    case 1: return 1ULL << rng_below(g, 33);
    case 2: return RIG_RAM_BASE + 4096 * rng_below(g, 300);
    case 3: return 0x80000 + rng_below(g, 300);
    default: return rng_next(g);
    }
}

static uint64_t likely_offset(struct rng *g, const struct region *r)
{
    return rng_below(g, rng_below(g, 4) ? MIN(r->size, 0x140) : r->size);
}

static void poke(struct rng *g, struct device *dev)
{
    const struct region *r = &dev->region;
    unsigned size = 1u << rng_below(g, 4);
    uint64_t at;

    size = MAX(MIN(size, r->max_size), r->min_size);
    at = likely_offset(g, r) & ~(uint64_t)(size - 1);
    if (rng_below(g, 3) == 0)
        rig_read(dev, at, size);
    else
        rig_write(dev, at, likely(g), size);
}

static void registers_written_at_random_harm_nobody(void **state)
{
    struct rng g;
    (void)state;
    zoo_init();
    rng_init(&g, rig_seed(), "registers");
    for (unsigned i = 0; i < 100000; i++) {
        poke(&g, zoo.all[rng_below(&g, zoo.n)]);
        if (rng_below(&g, 16) == 0)
            rig_advance(&rig, rig.actor.now + (vtime_t)rng_below(&g, NS_PER_US));
        if (rng_below(&g, 1000) == 0)
            device_reset(zoo.all[rng_below(&g, zoo.n)]);
    }
    for (unsigned i = 0; i < zoo.n; i++)
        rig_check_reset(&rig, zoo.all[i]);
}

/* A running NIC whose rings and buffers are full of noise. */
/* What other features of a network card ask for (virtio 1.2, 5.1.3.1). */
#define NEEDED                                                                                     \
    (VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_HOST_TSO4 | \
     VIRTIO_NET_F_GUEST_TSO4)

static void rings_of_noise_harm_nobody(void **state)
{
    struct rng g;
    (void)state;
    zoo_init();
    rng_init(&g, rig_seed(), "rings");
    for (unsigned i = 0; i < 4000; i++) {
        unsigned n = (unsigned)rng_below(&g, 2);
        struct frame *f = frame_new(200);

        if (i % 8 == 0)
            driver_start(&drv, &rig, &zoo.nics[n]->dev, rng_next(&g) | NEEDED, 3, 8);
        for (unsigned k = 0; k < 40; k++) {
            uint64_t at = drv.rings[rng_below(&g, 3)].desc + rng_below(&g, 200);

            store_le64(rig_at(&rig, at), likely(&g));
        }
        for (unsigned q = 0; q < 3; q++) {
            driver_desc(&drv, q, i % 8,
                        (struct buf){RIG_RAM_BASE + rng_below(&g, 1000),
                                     (uint32_t)rng_below(&g, 3000),
                                     (uint16_t)rng_below(&g, 8)},
                        (uint16_t)rng_below(&g, 9));
            driver_offer(&drv, q, (uint16_t)rng_below(&g, 9));
            driver_kick(&drv, q);
        }
        f->len = 14 + (uint32_t)rng_below(&g, 186);
        rng_fill(&g, f->data, f->len);
        f->offload = (struct frame_offload){.needs_csum = rng_below(&g, 2),
                                            .csum_start = (uint16_t)rng_below(&g, 100),
                                            .csum_offset = (uint16_t)rng_below(&g, 100),
                                            .gso = (uint8_t)rng_below(&g, FRAME_GSO_UDP_L4 + 1),
                                            .gso_size = (uint16_t)(1 + rng_below(&g, 100))};
        rig_receive(&rig, &zoo.nics[n]->port, f);
        frame_unref(f);
        rig_forget(&rig);
    }
}

/* The same full ring again and again, at one instant: neither memory nor the host's time goes. */
static void a_ring_offered_without_end_is_stopped(void **state)
{
    unsigned kicks = 0;
    uint64_t at;

    (void)state;
    zoo_init();
    rig_wire(&rig, &zoo.console.dev, LINE);
    driver_start(&drv, &rig, &zoo.console.dev, 0, 2, 8);
    at = rig_alloc(&rig, 512 << 10);
    while (!(mm_read(&drv, MM_STATUS) & VIRTIO_NEEDS_RESET) && kicks < 1000) {
        for (unsigned i = 0; i < 8; i++)
            driver_add(&drv, 1, &(struct buf){at, 512 << 10, 0}, 1);
        driver_kick(&drv, 1);
        kicks++;
    }
    assert_in_range(kicks, 10, 300);
    assert_int_equal(zoo.console.console.n_out, CONSOLE_MAX_BURST);
    driver_expect_failed(&drv, 1);
}

#define BOTH(f)                                                                                    \
    {#f " (modern)", f, modern, teardown, NULL}, {#f " (legacy)", f, legacy, teardown, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_chain_that_loops_ends),
        BOTH(an_index_outside_of_its_table_is_refused),
        BOTH(an_available_index_that_jumps_is_refused),
        BOTH(a_readable_buffer_behind_a_writable_one_is_refused),
        BOTH(a_buffer_that_is_not_ram_is_refused),
        BOTH(an_indirect_table_that_breaks_the_rules_is_refused),
        BOTH(an_indirect_table_may_be_longer_than_the_queue_but_not_endless),
        BOTH(indirect_descriptors_must_be_negotiated),
        BOTH(a_chain_of_more_than_4_gib_is_refused),
        BOTH(rings_that_are_not_ram_are_refused),
        cmocka_unit_test_setup_teardown(what_a_modern_driver_may_not_do_is_refused, modern,
                                        teardown),
        BOTH(registers_of_the_other_interface_are_not_there),
        BOTH(queues_that_do_not_exist_have_no_size),
        BOTH(indices_wrap_at_the_end_of_sixteen_bits),
        cmocka_unit_test_setup_teardown(an_empty_slot_says_so, modern, teardown),
        BOTH(registers_written_at_random_harm_nobody),
        BOTH(rings_of_noise_harm_nobody),
        cmocka_unit_test_setup_teardown(a_ring_offered_without_end_is_stopped, modern, teardown),
    };

    return cmocka_run_group_tests_name("hostile drivers", tests, NULL, NULL);
}
