/* Clones begin as their originals are, share what they hold, and have what is their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "devices/instance.h"
#include "devices/virtio_net.h"
#include "guests/board.h"
#include "tests/guests/rig.h"

#define BASE 0x80000000ULL
#define DATA (BASE + 0x10000)
#define INSTANCE 0x00102000ULL
#define SLOT 0x10001000ULL

/*
 * For M-mode at the base of RAM: for ever set the CLINT's timer 10 us ahead, sleep until it rings,
 * count at DATA, and note the count in one of eight pages.
 */
static const uint32_t beat[] = {
    0x02004337, /*     lui  t1, 0x2004       mtimecmp */
    0x0200c3b7, /*     lui  t2, 0x200c */
    0xff83839b, /*     addiw t2, t2, -8      mtime */
    0x00100f93, /*     li   t6, 1 */
    0x01ff9f93, /*     slli t6, t6, 31 */
    0x000102b7, /*     lui  t0, 0x10 */
    0x005f8fb3, /*     add  t6, t6, t0       DATA */
    0x08000293, /*     li   t0, 0x80         MTIE */
    0x30429073, /*     csrw mie, t0 */
    0x0003be03, /* 1:  ld   t3, 0(t2) */
    0x064e0e13, /*     addi t3, t3, 100 */
    0x01c33023, /*     sd   t3, 0(t1) */
    0x10500073, /*     wfi */
    0x000fbf03, /*     ld   t5, 0(t6) */
    0x001f0f13, /*     addi t5, t5, 1 */
    0x01efb023, /*     sd   t5, 0(t6) */
    0x007f7e93, /*     andi t4, t5, 7 */
    0x00ce9e93, /*     slli t4, t4, 12 */
    0x01fe8eb3, /*     add  t4, t4, t6 */
    0x01eeb423, /*     sd   t5, 8(t4) */
    0xfd5ff06f, /*     j    1b */
};

static struct rig rig;
static struct machine *clones[3];
static size_t n_clones;
static struct machine_nic nics[1];
static struct machine_config config;

static void start(vtime_t max_window)
{
    struct bytes b = {0};

    for (size_t i = 0; i < ARRAY_LEN(beat); i++) {
        uint8_t le[4];

        store_le32(le, beat[i]);
        bytes_add(&b, le, sizeof(le));
    }
    machine_config_init(&config);
    config.ram_bytes = 64 << 20;
    config.bios = "none";
    config.kernel = file_make(b.p, b.n);
    bytes_finish(&b);
    rig_init(&rig, 1, max_window);
}

static void start_with_nic(void)
{
    start(0);
    nics[0] = (struct machine_nic){.model = "virtio-net", .name = "eth0"};
    memcpy(nics[0].config.mac, "\x52\x54\0\1\2\3", ETH_ALEN);
    config.nics = nics;
    config.n_nics = 1;
}

static struct machine *clone_make(const char *name)
{
    struct machine_config c = config;

    c.clone_number = (uint32_t)n_clones + 1;
    clones[n_clones] = machine_create(&rig.sim, name, &c, &rig.err);
    err_print(&rig.err, stderr);
    assert_non_null(clones[n_clones]);
    return clones[n_clones++];
}

static int teardown(void **state)
{
    (void)state;
    while (n_clones > 0)
        machine_destroy(clones[--n_clones]);
    if (rig.sim.options.seed)
        rig_finish(&rig);
    rig = (struct rig){0};
    files_remove();
    return 0;
}

static uint64_t word(struct machine *m, uint64_t addr)
{
    uint8_t bytes[8];

    assert_true(ram_read(&m->ram, addr, bytes, sizeof(bytes)));
    return load_le64(bytes);
}

static uint64_t reg(struct machine *m, uint64_t addr, unsigned size)
{
    uint64_t v = 0;

    assert_true(bus_read(&m->bus, addr, size, &v));
    return v;
}

static void a_clone_is_what_its_original_is(void **state)
{
    struct machine *h2;
    uint64_t pc[2], x[2][32];

    (void)state;
    start(0);
    rig_start(&rig, &config);
    h2 = clone_make("h2");
    assert_int_equal(machine_power_state(h2, NULL), MACHINE_WAITING);
    sim_run(&rig.sim, 1234 * NS_PER_US);
    assert_int_equal(word(h2, DATA), 0);
    machine_clone(h2, rig.machine);
    assert_int_equal(machine_power_state(h2, NULL), MACHINE_RUNNING);
    assert_int_equal(machine_fingerprint(h2), machine_fingerprint(rig.machine));
    assert_in_range(word(h2, DATA), 120, 124);

    sim_run(&rig.sim, 2 * NS_PER_MS); /* from here on it differs by one interrupt, not enabled */
    assert_in_range(word(h2, DATA), 195, 200);
    assert_int_equal(ram_hash(&h2->ram, 1), ram_hash(&rig.machine->ram, 1));
    machine_registers(rig.machine, 0, &pc[0], x[0]);
    machine_registers(h2, 0, &pc[1], x[1]);
    assert_int_equal(pc[0], pc[1]);
    assert_memory_equal(x[0], x[1], sizeof(x[0]));
    assert_int_equal(hart_now(&h2->harts[0]), hart_now(&rig.machine->harts[0]));
}

static uint64_t original_at_2ms(bool cloned, vtime_t window)
{
    uint64_t fingerprint;

    start(window);
    rig_start(&rig, &config);
    if (cloned) {
        struct machine *h2 = clone_make("h2");

        sim_run(&rig.sim, 1234 * NS_PER_US);
        machine_clone(h2, rig.machine);
        ram_fill(&h2->ram, DATA, 0xee, PAGE_SIZE);
    }
    sim_run(&rig.sim, 2 * NS_PER_MS);
    fingerprint = machine_fingerprint(rig.machine);
    teardown(NULL);
    return fingerprint;
}

static void the_original_goes_on_as_if_it_had_not_been_cloned(void **state)
{
    uint64_t fingerprint = original_at_2ms(false, 0);

    (void)state;
    assert_int_equal(original_at_2ms(true, 0), fingerprint);
    assert_int_equal(original_at_2ms(true, 3 * NS_PER_US), fingerprint);
}

static uint64_t clone_at_3ms(vtime_t window)
{
    struct machine *h2, *h3;
    uint64_t both;

    start(window);
    rig_start(&rig, &config);
    h2 = clone_make("h2");
    h3 = clone_make("h3");
    sim_run(&rig.sim, NS_PER_MS + 500);
    machine_clone(h2, rig.machine);
    sim_run(&rig.sim, 2 * NS_PER_MS + 700);
    machine_clone(h3, h2);
    sim_run(&rig.sim, 3 * NS_PER_MS);
    both = machine_fingerprint(h2) * 31 + machine_fingerprint(h3);
    teardown(NULL);
    return both;
}

static void clones_do_not_depend_on_windows(void **state)
{
    uint64_t fingerprint = clone_at_3ms(0);

    (void)state;
    assert_int_equal(clone_at_3ms(1 * NS_PER_US), fingerprint);
    assert_int_equal(clone_at_3ms(7 * NS_PER_US), fingerprint);
}

/* The original has these pages in its TLB, as its own: the next store must copy. */
static void what_either_writes_the_other_does_not_see(void **state)
{
    struct machine *h2;
    uint64_t count;

    (void)state;
    start(0);
    rig_start(&rig, &config);
    h2 = clone_make("h2");
    sim_run(&rig.sim, 1234 * NS_PER_US);
    machine_clone(h2, rig.machine);
    count = word(h2, DATA);
    for (unsigned i = 0; i < 3; i++) {
        struct hart *h = &rig.machine->harts[0];

        h->wfi = false;
        hart_set_pending(h, IRQ_MTI, true);
        hart_run(h, h->icount + 200);
    }
    assert_true(word(rig.machine, DATA) > count);
    assert_int_equal(word(h2, DATA), count);
    ram_fill(&h2->ram, DATA, 0xee, 8);
    assert_int_not_equal(word(rig.machine, DATA), UINT64_C(0xeeeeeeeeeeeeeeee));
}

static void a_clone_costs_little_until_it_runs(void **state)
{
    struct machine_stats st;
    struct machine *h2;

    (void)state;
    start(0);
    rig_start(&rig, &config);
    h2 = clone_make("h2");
    for (uint64_t i = 0; i < 4000; i++) /* 16 MiB */
        ram_write(&rig.machine->ram, DATA + i * PAGE_SIZE, &i, sizeof(i));
    sim_run(&rig.sim, NS_PER_MS);
    machine_clone(h2, rig.machine);
    machine_stats(h2, &st);
    assert_int_equal(st.private_bytes, 0);
    assert_in_range(st.host_bytes, 1, 40 << 10);
    machine_stats(rig.machine, &st);
    assert_int_equal(st.private_bytes, 0);
    sim_run(&rig.sim, 2 * NS_PER_MS);
    machine_stats(h2, &st);
    assert_int_equal(st.private_bytes, 8 * PAGE_SIZE);
}

static void an_original_may_go_before_its_clones(void **state)
{
    struct machine_stats st;
    struct machine *h2;

    (void)state;
    start(0);
    rig_start(&rig, &config);
    h2 = clone_make("h2");
    sim_run(&rig.sim, 1234 * NS_PER_US);
    machine_clone(h2, rig.machine);
    console_remove_sink(machine_console(rig.machine, 0), &rig.sink);
    machine_destroy(rig.machine);
    rig.machine = NULL;
    machine_stats(h2, &st);
    assert_int_equal(st.private_bytes, 9 * PAGE_SIZE); /* DATA, and the device tree */
    sim_run(&rig.sim, 2 * NS_PER_MS);
    assert_in_range(word(h2, DATA), 195, 200);
}

static void each_has_its_own_address_from_the_first_time_it_is_read(void **state)
{
    struct machine *h2;

    (void)state;
    start_with_nic();
    rig_start(&rig, &config);
    nics[0].config.mac[5] = 0x77;
    h2 = clone_make("h2");
    ram_fill(&rig.machine->ram, DATA + 0x100000, 0, 8);
    for (unsigned status = 1; status <= 7; status = status * 2 + 1) /* to DRIVER_OK */
        bus_write(&rig.machine->bus, SLOT + 0x70, 4, status);
    sim_run(&rig.sim, NS_PER_MS);
    machine_clone(h2, rig.machine);
    assert_int_equal(reg(h2, SLOT + 0x70, 4), 7);
    assert_int_equal(reg(rig.machine, SLOT + 0x104, 2), 0x0302);
    assert_int_equal(reg(h2, SLOT + 0x104, 2), 0x7702);
    assert_int_equal(reg(h2, SLOT + 0x60, 4), 0);
    sim_run(&rig.sim, 2 * NS_PER_MS); /* its driver is told: a new configuration */
    assert_int_equal(reg(h2, SLOT + 0x60, 4), VIRTIO_ISR_CONFIG);
    assert_int_equal(reg(h2, SLOT + 0xfc, 4), reg(rig.machine, SLOT + 0xfc, 4) + 1);
    assert_int_equal(reg(rig.machine, SLOT + 0x60, 4), 0);
}

static void name_text(struct machine *m, char text[INSTANCE_NAME])
{
    for (unsigned i = 0; i < INSTANCE_NAME; i += 8)
        store_le64(text + i, reg(m, INSTANCE + INSTANCE_PAGE + 0x40 + i, 8));
}

static void a_clone_can_learn_its_number_and_name(void **state)
{
    char name[INSTANCE_NAME];
    struct machine *h2, *h3;

    (void)state;
    start(0);
    rig_start(&rig, &config);
    h2 = clone_make("h2");
    h3 = clone_make("another-with-a-long-name");
    sim_run(&rig.sim, NS_PER_MS);
    machine_clone(h2, rig.machine);
    sim_run(&rig.sim, 2 * NS_PER_MS);
    machine_clone(h3, h2);
    sim_run(&rig.sim, 3 * NS_PER_MS);
    assert_int_equal(reg(h2, INSTANCE + INSTANCE_PAGE, 4), 0x696e616c);
    assert_int_equal(reg(rig.machine, INSTANCE + INSTANCE_PAGE + 8, 4), 0);
    assert_int_equal(reg(h2, INSTANCE + INSTANCE_PAGE + 8, 4), 1);
    assert_int_equal(reg(h3, INSTANCE + INSTANCE_PAGE + 8, 4), 2);
    assert_int_equal(reg(rig.machine, INSTANCE + INSTANCE_PAGE + 12, 4), 0);
    assert_int_equal(reg(h2, INSTANCE + INSTANCE_PAGE + 12, 4), 1);
    assert_int_equal(reg(h3, INSTANCE + INSTANCE_PAGE + 12, 4), 2);
    name_text(rig.machine, name);
    assert_string_equal(name, "h1");
    name_text(h3, name);
    assert_string_equal(name, "another-with-a-long-name");
    assert_int_not_equal(reg(h2, INSTANCE, 8), reg(rig.machine, INSTANCE, 8));
    assert_int_not_equal(reg(h2, INSTANCE, 8), reg(h3, INSTANCE, 8));
    /* Line 12 of the PLIC: an interrupt in the clones alone. */
    assert_int_equal(reg(rig.machine, 0x0c001000, 4), 0);
    assert_int_equal(reg(h2, 0x0c001000, 4), 1 << 12);
}

static void a_clone_can_reset_itself(void **state)
{
    struct machine *h2;

    (void)state;
    start(0);
    rig_start(&rig, &config);
    h2 = clone_make("h2");
    sim_run(&rig.sim, NS_PER_MS);
    machine_clone(h2, rig.machine);
    machine_power(&h2->denv, POWER_RESET, 0);
    actor_due_changed(&h2->actor);
    sim_run(&rig.sim, 2 * NS_PER_MS);
    assert_in_range(word(h2, DATA), 95, 101);
    assert_in_range(word(rig.machine, DATA), 195, 200);
}

static void a_clone_of_what_has_stopped_has_stopped(void **state)
{
    struct machine *h2;

    (void)state;
    start(0);
    rig_start(&rig, &config);
    h2 = clone_make("h2");
    machine_power(&rig.machine->denv, POWER_OFF, 3);
    sim_run(&rig.sim, NS_PER_MS);
    machine_clone(h2, rig.machine);
    sim_run(&rig.sim, 5 * NS_PER_MS);
    assert_int_equal(machine_power_state(h2, NULL), MACHINE_OFF);
}

#define ECAM_SLOT1 (0x30000000ULL + (1 << 15))
#define E1000 0x40000000ULL /* where its registers are put */
#define NE2K 0x03000300ULL
#define PLIC 0x0c000000ULL
#define LINE 33 /* pin A of slot 1 */

static void put(struct machine *m, uint64_t addr, unsigned size, uint64_t v)
{
    assert_true(bus_write(&m->bus, addr, size, v));
}

/* The interrupt that is held is taken, goes, and comes again; returns what was claimed, and again.
 */
static uint64_t interrupt_again(struct machine *m)
{
    uint64_t claimed = reg(m, PLIC + 0x200000 + 4, 4), again;

    assert_int_equal(reg(m, E1000 + 0xc0, 4) & 4, 4); /* ICR: it goes */
    put(m, PLIC + 0x200000 + 4, 4, claimed);
    assert_int_equal(reg(m, PLIC + 0x200000 + 4, 4), 0);
    put(m, E1000 + 0xc8, 4, 4);
    sim_run(&rig.sim, rig.sim.now + NS_PER_MS);
    again = reg(m, PLIC + 0x200000 + 4, 4);
    return claimed << 32 | again;
}

static void cards_of_pci_and_isa_are_where_the_original_has_them(void **state)
{
    static const struct machine_nic cards[] = {{.model = "e1000", .name = "eth0"},
                                               {.model = "ne2k_isa", .name = "eth1"}};
    struct machine *h2;

    (void)state;
    start(0);
    config.nics = cards;
    config.n_nics = ARRAY_LEN(cards);
    rig_start(&rig, &config);
    h2 = clone_make("h2");
    put(rig.machine, ECAM_SLOT1 + 0x10, 4, E1000);
    put(rig.machine, ECAM_SLOT1 + 0x04, 2, 2); /* memory space */
    put(rig.machine, PLIC + 4 * LINE, 4, 1);   /* its line, to hart 0 in M-mode */
    put(rig.machine, PLIC + 0x2000 + 4, 4, 1 << LINE % 32);
    put(rig.machine, E1000 + 0xd0, 4, 4); /* IMS, ICS: the link has changed */
    put(rig.machine, E1000 + 0xc8, 4, 4);
    put(rig.machine, NE2K, 1, 0x61);
    put(rig.machine, NE2K + 1, 1, 0x55); /* page 1: PAR0 */
    sim_run(&rig.sim, NS_PER_MS);
    machine_clone(h2, rig.machine);
    assert_int_equal(machine_fingerprint(h2), machine_fingerprint(rig.machine));
    assert_int_equal(reg(h2, E1000 + 0x08, 4), reg(rig.machine, E1000 + 0x08, 4));
    assert_int_equal(reg(h2, NE2K + 1, 1), 0x55);
    put(h2, NE2K + 1, 1, 0x66);
    assert_int_equal(reg(rig.machine, NE2K + 1, 1), 0x55);
    assert_int_equal(interrupt_again(h2), (uint64_t)LINE << 32 | LINE);
    assert_int_equal(interrupt_again(rig.machine), (uint64_t)LINE << 32 | LINE);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_clone_is_what_its_original_is),
        TEST(the_original_goes_on_as_if_it_had_not_been_cloned),
        TEST(clones_do_not_depend_on_windows),
        TEST(what_either_writes_the_other_does_not_see),
        TEST(a_clone_costs_little_until_it_runs),
        TEST(an_original_may_go_before_its_clones),
        TEST(each_has_its_own_address_from_the_first_time_it_is_read),
        TEST(a_clone_can_learn_its_number_and_name),
        TEST(a_clone_can_reset_itself),
        TEST(a_clone_of_what_has_stopped_has_stopped),
        TEST(cards_of_pci_and_isa_are_where_the_original_has_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
