/* virtio-blk, virtio-rng and virtio-console. */
#include "driver.h"

#include <fcntl.h>
#include <unistd.h>

#include "devices/virtio_blk.h"
#include "devices/virtio_console.h"
#include "devices/virtio_rng.h"

#define SECTORS 100
#define LINE 2
enum { T_IN, T_OUT, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { OK, IOERR, UNSUPP, NONE = 0xee };

static struct rig rig;
static struct virtio_blk blk;
static struct virtio_rng entropy;
static struct virtio_console hvc;
static struct driver drv;
static char path[64];
static uint64_t data; /* 8 KiB of the guest's */

static void make_image(void)
{
    uint8_t sector[512];
    int fd;

    strcpy(path, "/tmp/test_virtio_disk.XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    for (unsigned i = 0; i < SECTORS; i++) {
        memset(sector, (int)i, sizeof sector);
        assert_int_equal(write(fd, sector, sizeof sector), sizeof sector);
    }
    assert_int_equal(write(fd, sector, 100), 100); /* a tail that is no sector */
    close(fd);
}

/* Byte `at` of the image as the host sees it. */
static uint8_t image_byte(unsigned at)
{
    uint8_t b;
    int fd = open(path, O_RDONLY);

    assert_int_equal(pread(fd, &b, 1, at), 1);
    close(fd);
    return b;
}

static void make_disk(bool writable, bool read_only, bool legacy)
{
    struct virtio_blk_config c = {path, writable, read_only, legacy, NULL, 0};
    struct err err = {0};

    assert_true(virtio_blk_init(&blk, &rig.env, "rig.disk0", &c, &err));
    rig_wire(&rig, &blk.dev, LINE);
    driver_start(&drv, &rig, &blk.dev, ~VIRTIO_F_EVENT_IDX, 1, 16);
    data = rig_alloc(&rig, 8192);
}

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    make_image();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    device_finish(&blk.dev);
    device_finish(&entropy.dev);
    device_finish(&hvc.dev);
    rig_finish(&rig);
    unlink(path);
    return 0;
}

/* Queue a request with `len` bytes at `data`; returns where its status will be. */
static uint64_t queue(uint32_t type, uint64_t sector, uint32_t len, bool to_guest)
{
    uint64_t hdr = rig_alloc(&rig, 32);
    struct buf bufs[3] = {{hdr, 16, 0}, {data, len, to_guest ? DESC_WRITE : 0},
                          {hdr + 16, 1, DESC_WRITE}};

    store_le32(rig_at(&rig, hdr), type);
    store_le64(rig_at(&rig, hdr + 8), sector);
    *rig_at(&rig, hdr + 16) = NONE;
    if (len == 0)
        bufs[1] = bufs[2];
    driver_add(&drv, 0, bufs, len ? 3 : 2);
    return hdr + 16;
}

static uint8_t request(uint32_t type, uint64_t sector, uint32_t len, bool to_guest)
{
    uint64_t status = queue(type, sector, len, to_guest);
    uint32_t id, used;

    driver_kick(&drv, 0);
    rig_advance(&rig, rig.actor.now + VIRTIO_BLK_LATENCY);
    assert_true(driver_used(&drv, 0, &id, &used));
    return *rig_at(&rig, status);
}

static void reads_give_the_image_after_a_latency(void **state)
{
    uint64_t status;
    uint32_t id, len;
    (void)state;
    make_disk(false, false, false);
    assert_int_equal(rig_read(&blk.dev, MM_CONFIG, 4), SECTORS);
    assert_int_equal(rig_read(&blk.dev, MM_CONFIG + 20, 4), 512);
    status = queue(T_IN, 7, 8192, true);
    driver_kick(&drv, 0);
    rig_advance(&rig, VIRTIO_BLK_LATENCY - 1);
    assert_int_equal(*rig_at(&rig, status), NONE);
    assert_false(rig.line[LINE]);
    rig_advance(&rig, VIRTIO_BLK_LATENCY);
    assert_int_equal(*rig_at(&rig, status), OK);
    assert_true(rig.line[LINE]);
    assert_true(driver_used(&drv, 0, &id, &len));
    assert_int_equal(len, 8193);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(*rig_at(&rig, data + 512 * i + 511), 7 + i);
}

static void what_is_kicked_meanwhile_waits_its_turn(void **state)
{
    uint64_t first, second;
    (void)state;
    make_disk(false, false, true);
    first = queue(T_IN, 0, 512, true);
    driver_kick(&drv, 0);
    rig_advance(&rig, VIRTIO_BLK_LATENCY / 2);
    second = queue(T_IN, 1, 512, true);
    driver_kick(&drv, 0);
    rig_advance(&rig, VIRTIO_BLK_LATENCY);
    assert_int_equal(*rig_at(&rig, first), OK);
    assert_int_equal(*rig_at(&rig, second), NONE);
    rig_advance(&rig, 2 * VIRTIO_BLK_LATENCY);
    assert_int_equal(*rig_at(&rig, second), OK);
}

/* Three reads of 32 MiB, all into the same half MiB: two in a round. */
static void a_round_of_requests_is_bounded(void **state)
{
    enum { PARTS = 64, PART = 512 << 10 };
    struct buf bufs[PARTS + 2];
    uint64_t hdr;
    uint32_t id, len;
    unsigned n = 0;
    (void)state;
    assert_int_equal(truncate(path, 40 << 20), 0);
    make_disk(false, false, false);
    driver_start(&drv, &rig, &blk.dev, ~VIRTIO_F_EVENT_IDX, 1, 256);
    data = rig_alloc(&rig, PART);
    hdr = rig_alloc(&rig, 32);
    bufs[0] = (struct buf){hdr, 16, 0};
    for (unsigned i = 1; i <= PARTS; i++)
        bufs[i] = (struct buf){data, PART, DESC_WRITE};
    bufs[PARTS + 1] = (struct buf){hdr + 16, 1, DESC_WRITE};
    for (unsigned i = 0; i < 3; i++)
        driver_add(&drv, 0, bufs, PARTS + 2);
    driver_kick(&drv, 0);
    rig_advance(&rig, VIRTIO_BLK_LATENCY);
    while (driver_used(&drv, 0, &id, &len))
        n++;
    assert_int_equal(n, 2);
    rig_advance(&rig, 2 * VIRTIO_BLK_LATENCY);
    assert_true(driver_used(&drv, 0, &id, &len));
    assert_int_equal(len, PARTS * PART + 1);
}

static void writes_are_read_back_and_leave_the_file_alone(void **state)
{
    (void)state;
    make_disk(false, false, true);
    memset(rig_at(&rig, data), 0xaa, 512);
    assert_int_equal(request(T_OUT, 9, 512, false), OK);
    assert_int_equal(request(T_FLUSH, 0, 0, false), OK);
    assert_int_equal(request(T_IN, 8, 3 * 512, true), OK);
    assert_int_equal(*rig_at(&rig, data), 8);
    assert_int_equal(*rig_at(&rig, data + 512), 0xaa);
    assert_int_equal(*rig_at(&rig, data + 1023), 0xaa);
    assert_int_equal(*rig_at(&rig, data + 1024), 10);
    assert_int_equal(image_byte(9 * 512), 9);
    assert_true(blk_image_held(&blk.image) >= 4096);
    device_reset(&blk.dev); /* a reset of the machine is no change of disks */
    driver_start(&drv, &rig, &blk.dev, 0, 1, 16);
    data = rig_alloc(&rig, 8192);
    assert_int_equal(request(T_IN, 9, 512, true), OK);
    assert_int_equal(*rig_at(&rig, data), 0xaa);
    assert_int_equal(request(T_OUT, SECTORS - 1, 512, false), OK); /* in the last, short block */
}

static void a_cloned_disk_is_shared_until_either_writes(void **state)
{
    struct blk_image other;
    struct err err = {0};
    uint8_t byte = 0xcc;

    (void)state;
    make_disk(false, false, false);
    memset(rig_at(&rig, data), 0xaa, 512);
    assert_int_equal(request(T_OUT, 9, 512, false), OK);
    assert_true(blk_image_open(&other, path, false, NULL, 0, &err));
    blk_image_clone(&other, &blk.image);
    assert_true(blk_image_write(&other, 10 * 512, &byte, 1));
    assert_true(blk_image_read(&other, 9 * 512, &byte, 1));
    assert_int_equal(byte, 0xaa);
    assert_int_equal(request(T_IN, 10, 512, true), OK);
    assert_int_equal(*rig_at(&rig, data), 10);
    memset(rig_at(&rig, data), 0xbb, 512);
    assert_int_equal(request(T_OUT, 9, 512, false), OK);
    assert_true(blk_image_read(&other, 9 * 512, &byte, 1));
    assert_int_equal(byte, 0xaa);
    assert_true(blk_image_read(&other, 10 * 512, &byte, 1));
    assert_int_equal(byte, 0xcc);
    blk_image_close(&other);
}

static void a_writable_disk_changes_its_file(void **state)
{
    (void)state;
    make_disk(true, false, false);
    memset(rig_at(&rig, data), 0xbb, 512);
    assert_int_equal(request(T_OUT, 9, 512, false), OK);
    assert_int_equal(image_byte(9 * 512), 0xbb);
    assert_int_equal(image_byte(10 * 512), 10);
    assert_int_equal(blk_image_held(&blk.image), 0);
}

static void zeroes_are_written_where_asked(void **state)
{
    uint8_t *seg;
    (void)state;
    make_disk(false, false, false);
    seg = rig_at(&rig, data);
    store_le64(seg, 50);
    store_le32(seg + 8, 20);
    assert_int_equal(request(T_WRITE_ZEROES, 0, 16, false), OK);
    store_le32(seg + 12, 4);
    assert_int_equal(request(T_WRITE_ZEROES, 0, 16, false), UNSUPP);
    store_le32(seg + 12, 0);
    store_le32(seg + 8, 0xffffffff);
    assert_int_equal(request(T_WRITE_ZEROES, 0, 16, false), IOERR);
    assert_int_equal(request(T_WRITE_ZEROES, 0, 15, false), IOERR);
    assert_int_equal(request(T_IN, 69, 1024, true), OK);
    assert_int_equal(*rig_at(&rig, data), 0);
    assert_int_equal(*rig_at(&rig, data + 512), 70);
}

static void the_disk_has_a_name(void **state)
{
    (void)state;
    make_disk(false, false, false);
    assert_int_equal(request(T_GET_ID, 0, 20, true), OK);
    assert_string_equal((char *)rig_at(&rig, data), "rig.disk0");
    assert_int_equal(request(T_GET_ID, 0, 3, true), OK);
}

static void what_is_not_on_the_disk_is_an_error(void **state)
{
    (void)state;
    make_disk(false, false, false);
    assert_int_equal(request(T_IN, SECTORS, 512, true), IOERR);
    assert_int_equal(request(T_IN, SECTORS - 1, 1024, true), IOERR);
    assert_int_equal(request(T_IN, ~0ULL, 512, true), IOERR);
    assert_int_equal(request(T_OUT, ~0ULL >> 9, 512, false), IOERR);
    assert_int_equal(request(T_IN, 0, 511, true), IOERR);
    assert_int_equal(request(T_OUT, 0, 513, false), IOERR);
    assert_int_equal(request(99, 0, 512, true), UNSUPP);
    assert_int_equal(request(T_DISCARD, 0, 16, false), UNSUPP);
    assert_int_equal(blk.errors, 8);
    assert_int_equal(request(T_IN, SECTORS - 1, 512, true), OK);
}

static void a_read_only_disk_refuses_writes(void **state)
{
    (void)state;
    make_disk(false, true, false);
    assert_true(driver_offered(&drv) & 1 << 5);
    assert_int_equal(request(T_OUT, 0, 512, false), IOERR);
    assert_int_equal(request(T_IN, 0, 512, true), OK);
}

static void an_image_cut_short_under_a_run_is_an_error_and_no_crash(void **state)
{
    (void)state;
    make_disk(false, false, false);
    assert_int_equal(truncate(path, 4096), 0);
    assert_int_equal(request(T_IN, 20, 512, true), IOERR);
    assert_int_equal(request(T_OUT, 20, 512, false), IOERR);
    assert_int_equal(request(T_IN, 0, 4096, true), OK);
}

static void a_request_without_header_or_status_stops_the_queue(void **state)
{
    (void)state;
    make_disk(false, false, false);
    driver_add(&drv, 0, &(struct buf){data, 16, 0}, 1);
    driver_kick(&drv, 0);
    rig_advance(&rig, rig.actor.now + VIRTIO_BLK_LATENCY);
    driver_expect_failed(&drv, 0);
    driver_start(&drv, &rig, &blk.dev, 0, 1, 16);
    driver_add(&drv, 0, (struct buf[]){{RIG_RAM_BASE, 15, 0}, {RIG_RAM_BASE, 9, DESC_WRITE}}, 2);
    driver_kick(&drv, 0);
    rig_advance(&rig, rig.actor.now + VIRTIO_BLK_LATENCY);
    driver_expect_failed(&drv, 0);
}

static void a_reset_forgets_requests_under_way(void **state)
{
    (void)state;
    make_disk(false, false, false);
    queue(T_IN, 0, 512, true);
    driver_kick(&drv, 0);
    mm_write(&drv, MM_STATUS, 0);
    rig_advance(&rig, NS_PER_SEC);
    assert_false(rig.line[LINE]);
    rig_check_reset(&rig, &blk.dev);
}

static void images_that_cannot_be_used_are_one_sentence_each(void **state)
{
    static const char *const wrong[] = {"/nonexistent/disk", "/tmp", "/dev/null"};
    struct err err = {0};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        struct virtio_blk_config c = {.path = wrong[i], .file = "lan.lua", .line = 3};

        assert_false(virtio_blk_init(&blk, &rig.env, "rig.disk0", &c, &err));
        assert_int_equal(err.n, i + 1);
        assert_memory_equal(err.texts[i], "lan.lua:3: ", 11);
    }
    err_finish(&err);
}

/* --- entropy --- */

static void entropy_depends_on_the_seed_and_the_name_alone(void **state)
{
    uint8_t first[64];
    uint64_t at;
    uint32_t id, len;
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        rig.env.run_seed = round == 2 ? 8 : 7;
        virtio_rng_init(&entropy, &rig.env, "rig.rng", round == 1);
        rig_wire(&rig, &entropy.dev, LINE);
        driver_start(&drv, &rig, &entropy.dev, 0, 1, 8);
        at = rig_alloc(&rig, 64);
        driver_add(&drv, 0, &(struct buf){at, 64, DESC_WRITE}, 1);
        driver_kick(&drv, 0);
        assert_true(driver_used(&drv, 0, &id, &len));
        assert_int_equal(len, 64);
        if (round == 0)
            memcpy(first, rig_at(&rig, at), 64);
        assert_int_equal(memcmp(first, rig_at(&rig, at), 64) == 0, round != 2);
        rig_check_reset(&rig, &entropy.dev);
        device_finish(&entropy.dev);
    }
}

/* --- console --- */

static void make_console(void)
{
    virtio_console_init(&hvc, &rig.env, "rig.hvc0", "rig.console1", false);
    rig_wire(&rig, &hvc.dev, LINE);
    driver_start(&drv, &rig, &hvc.dev, ~VIRTIO_F_EVENT_IDX, 2, 8);
}

static void a_console_carries_bytes_both_ways(void **state)
{
    uint64_t at;
    uint32_t id, len;
    (void)state;
    make_console();
    at = rig_alloc(&rig, 4096);
    memcpy(rig_at(&rig, at), "hello", 5);
    driver_add(&drv, 1, &(struct buf){at, 5, 0}, 1);
    driver_kick(&drv, 1);
    assert_int_equal(hvc.console.n_out, 5);
    assert_memory_equal(hvc.console.out, "hello", 5);
    driver_add(&drv, 0, &(struct buf){at, 4, DESC_WRITE}, 1);
    driver_kick(&drv, 0);
    console_feed(&hvc.console, "answer", 6, rig.actor.now);
    rig_advance(&rig, rig.actor.now);
    assert_true(driver_used(&drv, 0, &id, &len));
    assert_int_equal(len, 4);
    assert_memory_equal(rig_at(&rig, at), "answ", 4);
    driver_add(&drv, 0, &(struct buf){at, 100, DESC_WRITE}, 1);
    driver_kick(&drv, 0);
    assert_true(driver_used(&drv, 0, &id, &len));
    assert_int_equal(len, 2);
}

static void a_console_speaks_of_its_size_and_in_emergencies(void **state)
{
    (void)state;
    make_console();
    assert_int_equal(rig_read(&hvc.dev, MM_CONFIG, 2), 80);
    assert_int_equal(rig_read(&hvc.dev, MM_CONFIG + 2, 2), 25);
    mm_write(&drv, MM_STATUS, 0);
    rig_write(&hvc.dev, MM_CONFIG + 8, '!', 4);
    assert_int_equal(hvc.console.n_out, 1);
    assert_int_equal(hvc.console.out[0], '!');
    rig_check_reset(&rig, &hvc.dev);
}

static void output_without_end_stops_the_queue(void **state)
{
    struct buf bufs[8];
    (void)state;
    make_console();
    for (unsigned i = 0; i < 8; i++)
        bufs[i] = (struct buf){RIG_RAM_BASE, 0x80000, 0};
    driver_add(&drv, 1, bufs, 8);
    driver_kick(&drv, 1);
    assert_int_equal(hvc.console.n_out, 0);
    driver_expect_failed(&drv, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_give_the_image_after_a_latency),
        TEST(what_is_kicked_meanwhile_waits_its_turn),
        TEST(a_round_of_requests_is_bounded),
        TEST(writes_are_read_back_and_leave_the_file_alone),
        TEST(a_cloned_disk_is_shared_until_either_writes),
        TEST(a_writable_disk_changes_its_file),
        TEST(zeroes_are_written_where_asked),
        TEST(the_disk_has_a_name),
        TEST(what_is_not_on_the_disk_is_an_error),
        TEST(a_read_only_disk_refuses_writes),
        TEST(an_image_cut_short_under_a_run_is_an_error_and_no_crash),
        TEST(a_request_without_header_or_status_stops_the_queue),
        TEST(a_reset_forgets_requests_under_way),
        TEST(images_that_cannot_be_used_are_one_sentence_each),
        TEST(entropy_depends_on_the_seed_and_the_name_alone),
        TEST(a_console_carries_bytes_both_ways),
        TEST(a_console_speaks_of_its_size_and_in_emergencies),
        TEST(output_without_end_stops_the_queue),
    };

    return cmocka_run_group_tests_name("virtio-blk, rng, console", tests, NULL, NULL);
}
