/* Machines start as their images want, run exactly, sleep for nothing, and stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "guests/board.h"
#include "tests/guests/rig.h"

#define BASE 0x80000000ULL
#define KERNEL 0x80200000ULL

static struct rig rig;

static int teardown(void **state)
{
    (void)state;
    if (rig.sim.options.seed)
        rig_finish(&rig);
    rig = (struct rig){0};
    files_remove();
    return 0;
}

/*
 * For M-mode at the base of RAM, on every hart: 40 times set the CLINT's timer 10 us ahead, work,
 * sleep until it rings, count, and note the time. Then hart 0 ends the run.
 */
static const uint32_t timers[] = {
    0x00351293, /*     slli t0, a0, 3 */
    0x02004337, /*     lui  t1, 0x2004       mtimecmp */
    0x00530333, /*     add  t1, t1, t0 */
    0x0200c3b7, /*     lui  t2, 0x200c */
    0xff83839b, /*     addiw t2, t2, -8      mtime */
    0x00000f97, /*     auipc t6, 0 */
    0x0acf8f93, /*     addi t6, t6, 0xac     DATA */
    0x00451293, /*     slli t0, a0, 4 */
    0x005f8fb3, /*     add  t6, t6, t0 */
    0x02800413, /*     li   s0, 40 */
    0x08000293, /*     li   t0, 0x80         MTIE */
    0x30429073, /*     csrw mie, t0 */
    0x0003be03, /* 1:  ld   t3, 0(t2) */
    0x064e0e13, /*     addi t3, t3, 100 */
    0x01c33023, /*     sd   t3, 0(t1) */
    0x30900e93, /*     li   t4, 777 */
    0xfffe8e93, /* 2:  addi t4, t4, -1 */
    0xfe0e9ee3, /*     bnez t4, 2b */
    0x10500073, /*     wfi */
    0x000fbf03, /*     ld   t5, 0(t6) */
    0x001f0f13, /*     addi t5, t5, 1 */
    0x01efb023, /*     sd   t5, 0(t6) */
    0x0003be03, /*     ld   t3, 0(t2) */
    0x01cfb423, /*     sd   t3, 8(t6) */
    0xfff40413, /*     addi s0, s0, -1 */
    0xfc0416e3, /*     bnez s0, 1b */
    0x00051a63, /*     bnez a0, 3f */
    0x001002b7, /*     lui  t0, 0x100        the test finisher */
    0x00005337, /*     lui  t1, 5 */
    0x5553031b, /*     addiw t1, t1, 0x555 */
    0x0062a023, /*     sw   t1, 0(t0) */
    0x10500073, /* 3:  wfi */
    0xffdff06f, /*     j    3b */
};
#define DATA (BASE + 0xc0)

static const uint32_t sleeper[] = {0x10500073, 0xffdff06f}; /* 1: wfi; j 1b */

static const char *words_file(const uint32_t *words, size_t n)
{
    struct bytes b = {0};
    const char *path;

    for (size_t i = 0; i < n; i++) {
        uint8_t le[4];

        store_le32(le, words[i]);
        bytes_add(&b, le, sizeof(le));
    }
    path = file_make(b.p, b.n);
    bytes_finish(&b);
    return path;
}

#define PROGRAM(words) words_file(words, ARRAY_LEN(words))

static void start(const struct machine_config *c, vtime_t max_window)
{
    rig_init(&rig, 1, max_window);
    rig_start(&rig, c);
}

struct outcome {
    uint64_t fingerprint, instructions, count, time;
};

static struct outcome run_timers(unsigned harts, unsigned mips, vtime_t max_window)
{
    struct machine_config c;
    struct machine_stats st;
    struct outcome o;

    machine_config_init(&c);
    c.ram_bytes = 1 << 20;
    c.harts = harts;
    c.mips = mips;
    c.bios = "none";
    c.kernel = PROGRAM(timers);
    start(&c, max_window);
    sim_run(&rig.sim, 5 * NS_PER_MS);
    assert_int_equal(machine_power_state(rig.machine, NULL), MACHINE_OFF);
    machine_stats(rig.machine, &st);
    o = (struct outcome){machine_fingerprint(rig.machine), st.instructions, rig_word(&rig, DATA),
                         rig_word(&rig, DATA + 8)};
    teardown(NULL);
    return o;
}

static void the_result_does_not_depend_on_windows(void **state)
{
    static const unsigned mips[] = {1000, 333, 4000};

    (void)state;
    for (unsigned harts = 1; harts <= 3; harts++) {
        for (size_t i = 0; i < ARRAY_LEN(mips); i++) {
            struct outcome o = run_timers(harts, mips[i], 0);

            assert_int_equal(o.count, 40);
            for (vtime_t w = 1000; w <= 7000; w += 3000) {
                struct outcome p = run_timers(harts, mips[i], w);

                assert_memory_equal(&o, &p, sizeof(o));
            }
        }
    }
}

static void timers_ring_at_their_time(void **state)
{
    struct outcome o = run_timers(1, 1000, 0);

    (void)state;
    /* Each round ends where its timer rings, a handful of instructions (of 1 ns) later; 40 rounds
       of 100 ticks, and not one tick lost to rounding but the one in which the round began. */
    assert_in_range(o.time, 4000, 4001);
}

static void what_is_linked_at_the_base_starts_in_machine_mode(void **state)
{
    const struct elf_segment s = {0x1000, BASE, 8, 4096};
    struct bytes b = elf_make(2, BASE, &s, 1);
    struct machine_config c;

    (void)state;
    bytes_pad(&b, 0x1008);
    machine_config_init(&c);
    c.ram_bytes = 1 << 20;
    c.harts = 2;
    c.kernel = file_make(b.p, b.n);
    bytes_finish(&b);
    start(&c, 0);
    for (unsigned i = 0; i < 2; i++) {
        const struct hart *h = &rig.machine->harts[i];

        assert_int_equal(h->pc, BASE);
        assert_int_equal(h->priv, PRIV_M);
        assert_false(h->stopped);
        assert_int_equal(h->x[10], i);
        assert_int_equal(h->x[11], rig.machine->boot.dtb_at);
    }
    assert_int_equal((uint32_t)rig_word(&rig, rig.machine->boot.dtb_at), 0xedfe0dd0);
}

static void other_kernels_start_in_supervisor_mode(void **state)
{
    struct machine_config c;
    const struct hart *h;

    (void)state;
    machine_config_init(&c);
    c.harts = 2;
    c.kernel = PROGRAM(sleeper);
    start(&c, 0);
    h = rig.machine->harts;
    assert_int_equal(h->pc, KERNEL);
    assert_int_equal(h->priv, PRIV_S);
    assert_int_equal(h->satp, 0);
    assert_true(h[1].stopped);
}

static void firmware_learns_where_the_kernel_is(void **state)
{
    struct machine_config c;
    const struct hart *h;

    (void)state;
    machine_config_init(&c);
    c.bios = PROGRAM(timers);
    c.kernel = PROGRAM(sleeper);
    start(&c, 0);
    h = rig.machine->harts;
    assert_int_equal(h->pc, BASE);
    assert_int_equal(h->priv, PRIV_M);
    assert_int_equal(rig_word(&rig, h->x[12]), 0x4942534f); /* OpenSBI's fw_dynamic_info */
    assert_int_equal(rig_word(&rig, h->x[12] + 8), 2);
    assert_int_equal(rig_word(&rig, h->x[12] + 16), KERNEL);
    assert_int_equal(rig_word(&rig, h->x[12] + 24), PRIV_S);
    assert_null(rig.machine->henv.sbi_ecall);
}

static void sleeping_costs_nothing(void **state)
{
    struct machine_config c;
    struct machine_stats st;

    (void)state;
    machine_config_init(&c);
    c.harts = 2;
    c.kernel = PROGRAM(sleeper);
    start(&c, 0);
    sim_run(&rig.sim, 3600 * NS_PER_SEC);
    machine_stats(rig.machine, &st);
    assert_int_equal(st.instructions, 1);
    assert_in_range(rig.sim.stats.actor_runs, 1, 3);
}

static void a_trap_without_a_handler_does_not_hang(void **state)
{
    static const uint32_t illegal[] = {0};
    struct machine_config c;

    (void)state;
    machine_config_init(&c);
    c.bios = "none";
    c.kernel = PROGRAM(illegal);
    start(&c, 0);
    assert_int_equal(sim_run(&rig.sim, NS_PER_MS), SIM_REACHED);
}

static void a_reset_brings_the_images_back(void **state)
{
    struct machine_config c;
    uint64_t at, before;

    (void)state;
    machine_config_init(&c);
    c.kernel = PROGRAM(sleeper);
    start(&c, 0);
    sim_run(&rig.sim, NS_PER_MS);
    at = rig.machine->boot.dtb_at;
    before = rig_word(&rig, at);
    ram_fill(&rig.machine->ram, at, 0xee, 64);
    ram_fill(&rig.machine->ram, KERNEL, 0xee, 64);
    ram_fill(&rig.machine->ram, KERNEL + 0x5000, 0xee, 64);
    machine_power(&rig.machine->denv, POWER_RESET, 0);
    actor_due_changed(&rig.machine->actor);
    sim_run(&rig.sim, 2 * NS_PER_MS);
    assert_int_equal(rig_word(&rig, at), before);
    assert_int_equal((uint32_t)rig_word(&rig, KERNEL), sleeper[0]);
    assert_int_equal(rig_word(&rig, KERNEL + 0x5000), 0);
    assert_true(rig.machine->harts[0].wfi);
    assert_true(hart_now(rig.machine->harts) >= NS_PER_MS);
}

static void guests_of_one_image_hold_little_of_their_own(void **state)
{
    struct machine_config c;
    struct machine_stats st;
    struct machine *more;

    (void)state;
    machine_config_init(&c);
    c.kernel = PROGRAM(sleeper);
    c.initrd = PROGRAM(timers);
    start(&c, 0);
    more = machine_create(&rig.sim, "h2", &c, &rig.err);
    assert_non_null(more);
    assert_ptr_equal(ram_page(&rig.machine->ram, KERNEL), ram_page(&more->ram, KERNEL));
    machine_stats(more, &st);
    assert_in_range(st.private_bytes, 0, 2 * PAGE_SIZE); /* the device tree */
    machine_destroy(more);
}

static void pages_that_were_only_cleared_are_given_back(void **state)
{
    struct machine_config c;
    struct machine_stats st;
    uint64_t hash;

    (void)state;
    machine_config_init(&c);
    c.kernel = PROGRAM(sleeper);
    start(&c, 0);
    for (uint64_t i = 0; i < 2000; i++)
        ram_write(&rig.machine->ram, KERNEL + 0x10000 + i * PAGE_SIZE, &(uint64_t){i == 77}, 8);
    hash = machine_fingerprint(rig.machine);
    machine_trim(rig.machine);
    machine_stats(rig.machine, &st);
    assert_in_range(st.private_bytes, PAGE_SIZE, 3 * PAGE_SIZE); /* page 77, the device tree */
    assert_int_equal(machine_fingerprint(rig.machine), hash);
    assert_int_equal(rig_word(&rig, KERNEL + 0x10000 + 77 * PAGE_SIZE), 1);
}

/* The configuration is refused with one sentence that contains this. */
static void refuse(const struct machine_config *c, const char *sentence)
{
    struct err err = {0};

    rig_init(&rig, 1, 0);
    assert_null(machine_create(&rig.sim, "h1", c, &err));
    assert_int_equal(err.n, 1);
    if (!strstr(err.texts[0], sentence))
        fail_msg("\"%s\" does not say \"%s\"", err.texts[0], sentence);
    err_finish(&err);
    rig_finish(&rig);
    rig = (struct rig){0};
}

static void what_cannot_be_made_gets_a_sentence(void **state)
{
    static const uint32_t tree[] = {0xedfe0dd0, 1, 2, 3};
    const struct machine_nic nics[] = {{.model = "ne9000", .name = "eth0"}};
    const struct machine_disk disks[9] = {{0}};
    struct machine_nic cards[280];
    struct machine_config ok, c;

    (void)state;
    machine_config_init(&ok);
    ok.kernel = PROGRAM(sleeper);
    ok.file = "lan.lua";
    ok.line = 7;
    for (size_t i = 0; i < ARRAY_LEN(cards); i++)
        cards[i] = (struct machine_nic){.model = "e1000", .name = "eth0"};

#define REFUSE(change, sentence)                                                                   \
    do {                                                                                           \
        c = ok;                                                                                    \
        change;                                                                                    \
        refuse(&c, sentence);                                                                      \
    } while (0)
    REFUSE(c.board = "ebony", "lan.lua:7: h1: there is no board \"ebony\"");
    REFUSE(c.harts = 0, "lan.lua:7: h1: 0 harts is outside 1..8");
    REFUSE(c.harts = 9, "9 harts");
    REFUSE(c.mips = 0, "mips 0");
    REFUSE(c.ram_bytes = 5000, "5000 bytes of memory");
    REFUSE(c.ram_bytes = 1ULL << 50, "bytes of memory");
    REFUSE(c.kernel = NULL, "h1: it has nothing to run");
    REFUSE(c.kernel = "/nonexistent", "h1: kernel /nonexistent: No such file");
    REFUSE(c.bios = "/nonexistent", "h1: bios /nonexistent: No such file");
    REFUSE(c.initrd = "/nonexistent", "h1: initrd /nonexistent: No such file");
    REFUSE(c.dtb = "/nonexistent", "h1: dtb /nonexistent: No such file");
    REFUSE(c.dtb = PROGRAM(tree), "it is not a device tree blob");
    REFUSE(c.ram_bytes = 1 << 20, "does not fit the RAM");
    REFUSE(c.ram_bytes = (2 << 20) + 4096, "the device tree of");
    REFUSE((c.nics = nics, c.n_nics = 1), "h1.eth0: the virt board has no NIC model \"ne9000\"");
    REFUSE((c.disks = disks, c.n_disks = 9), "8 virtio-mmio slots for NICs and disks, not 9");
    REFUSE((c.nics = cards, c.n_nics = 280), "room for 279 PCI cards, not 280");
    cards[31].config.slot = 31;
    REFUSE((c.nics = cards, c.n_nics = 32),
           "h1.eth0: addr = 31 has a bridge in it; beside so many PCI cards it is 1..30");
}

static void images_that_overlap_are_refused(void **state)
{
    const struct elf_segment s = {0, BASE, 64, 4096};
    struct bytes b = elf_make(2, BASE, &s, 1), big = {0};
    struct machine_config c;

    (void)state;
    machine_config_init(&c);
    c.kernel = file_make(b.p, b.n);
    c.bios = PROGRAM(timers);
    refuse(&c, "where the bios");
    bytes_pad(&big, 6 << 20);
    c.bios = NULL;
    c.kernel = PROGRAM(sleeper);
    c.initrd = file_make(big.p, big.n);
    c.ram_bytes = 8 << 20;
    refuse(&c, "6144 KiB do not fit RAM");
    c.ram_bytes = 9 << 20; /* too little for QEMU's place, enough behind the kernel */
    start(&c, 0);
    assert_int_equal(rig.machine->boot.initrd_start, KERNEL + PAGE_SIZE);
    bytes_finish(&b);
    bytes_finish(&big);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, NULL, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_result_does_not_depend_on_windows),
        TEST(timers_ring_at_their_time),
        TEST(what_is_linked_at_the_base_starts_in_machine_mode),
        TEST(other_kernels_start_in_supervisor_mode),
        TEST(firmware_learns_where_the_kernel_is),
        TEST(sleeping_costs_nothing),
        TEST(a_trap_without_a_handler_does_not_hang),
        TEST(a_reset_brings_the_images_back),
        TEST(guests_of_one_image_hold_little_of_their_own),
        TEST(pages_that_were_only_cleared_are_given_back),
        TEST(what_cannot_be_made_gets_a_sentence),
        TEST(images_that_overlap_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
