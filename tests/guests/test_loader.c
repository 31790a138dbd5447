/* Images are recognised, unpacked and placed; hostile ones get one sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#include "guests/loader.h"
#include "sim/rng.h"
#include "tests/guests/rig.h"

#define BASE 0x80000000ULL
#define KERNEL 0x80200000ULL
#define RAM_SIZE (16ULL << 20)

static struct err err;
static struct ram ram;

static int setup(void **state)
{
    (void)state;
    ram_init(&ram, BASE, RAM_SIZE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ram_finish(&ram);
    err_finish(&err);
    files_remove();
    assert_int_equal(page_alive(), 0);
    return 0;
}

static bool try_file(struct image *im, const char *path)
{
    struct image_request r = {"h1: kernel", path, BASE, RAM_SIZE, KERNEL};

    return image_open(im, &r, &err);
}

static void open_bytes(struct image *im, const struct bytes *b)
{
    assert_true(try_file(im, file_make(b->p, b->n)));
    assert_int_equal(err.n, 0);
}

/* The image is refused with one sentence that names the guest and the file, and contains this. */
static void refuse(struct bytes *b, const char *sentence)
{
    const char *path = file_make(b->p, b->n);
    struct image im;
    char *start = xasprintf("h1: kernel %s: ", path);

    assert_false(try_file(&im, path));
    assert_int_equal(err.n, 1);
    assert_memory_equal(err.texts[0], start, strlen(start));
    if (!strstr(err.texts[0], sentence))
        fail_msg("\"%s\" does not say \"%s\"", err.texts[0], sentence);
    err_finish(&err);
    err = (struct err){0};
    free(start);
    bytes_finish(b);
}

static struct bytes flat_make(size_t n)
{
    struct bytes b = {0};

    bytes_pad(&b, n);
    for (size_t i = 0; i < n; i++)
        b.p[i] = (uint8_t)(i * 7 + i / 251 + 1);
    return b;
}

static void assert_ram(uint64_t addr, const void *want, size_t n)
{
    uint8_t *got = xmalloc(n);

    assert_true(ram_read(&ram, addr, got, n));
    assert_memory_equal(got, want, n);
    free(got);
}

static void a_flat_binary_goes_where_asked(void **state)
{
    struct bytes b = flat_make(10000);
    struct image im;

    (void)state;
    open_bytes(&im, &b);
    assert_int_equal(im.kind, IMAGE_FLAT);
    assert_int_equal(im.entry, KERNEL);
    assert_int_equal(im.end, KERNEL + 10000);
    image_load(&im, &ram);
    assert_ram(KERNEL, b.p, b.n);
    image_finish(&im);
    bytes_finish(&b);
}

static struct bytes elf_example(uint16_t type, uint64_t base)
{
    const struct elf_segment s[] = {
        {0x1000, base, 0x1234, 0x1234},
        {0x3010, base + 0x2010, 0x100, 0x5000},
        {0, base + 0x10000, 0, 0},
    };
    struct bytes b = elf_make(type, base + 0x10, s, 3), fill = flat_make(0x4000);

    bytes_pad(&b, 0x1000);
    bytes_add(&b, fill.p, fill.n);
    bytes_finish(&fill);
    return b;
}

static void an_elf_is_laid_out_by_its_segments(void **state)
{
    struct bytes b = elf_example(2, BASE);
    static const uint8_t zero[0x4f00];
    struct image im;

    (void)state;
    open_bytes(&im, &b);
    assert_int_equal(im.kind, IMAGE_ELF);
    assert_int_equal(im.entry, BASE + 0x10);
    assert_int_equal(im.start, BASE);
    assert_int_equal(im.end, BASE + 0x7010);
    image_load(&im, &ram);
    assert_ram(BASE, b.p + 0x1000, 0x1234);
    assert_ram(BASE + 0x2010, b.p + 0x3010, 0x100);
    assert_ram(BASE + 0x2110, zero, sizeof(zero));
    image_finish(&im);
    bytes_finish(&b);
}

static void a_position_independent_elf_goes_where_asked(void **state)
{
    struct bytes b = elf_example(3, 0);
    struct image im;

    (void)state;
    open_bytes(&im, &b);
    assert_int_equal(im.start, KERNEL);
    assert_int_equal(im.entry, KERNEL + 0x10);
    image_load(&im, &ram);
    assert_ram(KERNEL, b.p + 0x1000, 0x1234);
    image_finish(&im);
    bytes_finish(&b);
}

static void guests_share_every_page_of_an_image(void **state)
{
    struct bytes b = elf_example(2, BASE);
    struct image im, im2;
    const char *path = file_make(b.p, b.n);
    struct ram other;

    (void)state;
    ram_init(&other, BASE, RAM_SIZE);
    assert_true(try_file(&im, path));
    assert_true(try_file(&im2, path));
    assert_ptr_equal(im.blob, im2.blob);
    image_load(&im, &ram);
    image_load(&im2, &other);
    assert_int_equal(ram_private_bytes(&ram), 0);
    for (uint64_t at = BASE; at < BASE + 0x8000; at += PAGE_SIZE)
        assert_ptr_equal(ram_page(&ram, at), ram_page(&other, at));
    image_finish(&im);
    image_finish(&im2);
    ram_finish(&other);
    bytes_finish(&b);
}

static void hostile_elf_files_are_refused(void **state)
{
    const struct elf_segment beyond = {0x1000, BASE, 0x1000, 0x1000};
    const struct elf_segment outside = {0, BASE - 0x1000, 16, 16};
    const struct elf_segment huge = {0, BASE, 16, UINT64_MAX - 8};
    const struct elf_segment wraps = {UINT64_MAX - 7, BASE, 16, 16};
    const struct elf_segment more_file = {0, BASE, 64, 32};
    const struct elf_segment far_entry = {0, BASE, 16, 16};
    struct elf_segment many[40];
    struct bytes b;

    (void)state;
    b = elf_make(2, BASE, &beyond, 1);
    refuse(&b, "cut short");
    b = elf_make(2, BASE, &outside, 1);
    refuse(&b, "does not fit the RAM");
    b = elf_make(2, BASE, &huge, 1);
    refuse(&b, "does not fit the RAM");
    b = elf_make(2, BASE, &wraps, 1);
    refuse(&b, "cut short");
    b = elf_make(2, BASE, &more_file, 1);
    refuse(&b, "cut short");
    b = elf_make(2, BASE + 0x1000, &far_entry, 1);
    refuse(&b, "entry");
    b = elf_make(1, BASE, &far_entry, 1);
    refuse(&b, "link it first");
    b = elf_make(2, BASE, NULL, 0);
    refuse(&b, "nothing to load");
    b = elf_make(2, BASE, &far_entry, 1);
    store_le16(b.p + 18, 62);
    refuse(&b, "another processor");
    b = elf_make(2, BASE, &far_entry, 1);
    b.p[4] = 1;
    refuse(&b, "64-bit");
    b = elf_make(2, BASE, &far_entry, 1);
    store_le64(b.p + 32, UINT64_MAX - 20);
    refuse(&b, "program headers are cut short");
    b = elf_make(2, BASE, &far_entry, 1);
    b.n = 40;
    refuse(&b, "header is cut short");
    for (unsigned i = 0; i < ARRAY_LEN(many); i++)
        many[i] = far_entry;
    b = elf_make(2, BASE, many, ARRAY_LEN(many));
    refuse(&b, "more than 32");
}

static struct bytes linux_make(uint64_t text_offset, uint64_t image_size, size_t n)
{
    struct bytes b = flat_make(n);

    store_le64(b.p + 8, text_offset);
    store_le64(b.p + 16, image_size);
    store_le64(b.p + 24, 0);
    memcpy(b.p + 56, "RSC\x05", 4);
    return b;
}

static void a_linux_image_says_where_and_how_large(void **state)
{
    struct bytes b = linux_make(0x400000, 0x100000, 5000);
    struct image im;

    (void)state;
    open_bytes(&im, &b);
    assert_int_equal(im.kind, IMAGE_LINUX);
    assert_int_equal(im.entry, BASE + 0x400000);
    assert_int_equal(im.end, BASE + 0x500000);
    image_finish(&im);
    bytes_finish(&b);
    b = linux_make(0, 0, 5000); /* as before Linux 4.20 */
    open_bytes(&im, &b);
    assert_int_equal(im.entry, KERNEL);
    assert_int_equal(im.end, KERNEL + 5000);
    image_finish(&im);
    bytes_finish(&b);
    b = linux_make(0x200000, UINT64_MAX, 100);
    refuse(&b, "does not fit");
    b = linux_make(UINT64_MAX, 4096, 100);
    refuse(&b, "does not fit");
}

static struct bytes gzip(const struct bytes *in)
{
    z_stream z = {0};
    struct bytes b = {0};

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    b.n = deflateBound(&z, in->n);
    b.p = xmalloc(b.n);
    z.next_in = in->p;
    z.avail_in = (uInt)in->n;
    z.next_out = b.p;
    z.avail_out = (uInt)b.n;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    b.n = z.total_out;
    deflateEnd(&z);
    return b;
}

static struct bytes zstd(const struct bytes *in)
{
    struct bytes b = {xmalloc(ZSTD_compressBound(in->n)), ZSTD_compressBound(in->n)};

    b.n = ZSTD_compress(b.p, b.n, in->p, in->n, 3);
    assert_false(ZSTD_isError(b.n));
    return b;
}

static struct bytes zboot(const struct bytes *packed, const char *how)
{
    uint8_t h[64] = "MZ\0\0zimg";
    struct bytes b = {0};

    store_le32(h + 8, sizeof(h));
    store_le32(h + 12, (uint32_t)packed->n);
    strcpy((char *)h + 24, how);
    bytes_add(&b, h, sizeof(h));
    bytes_add(&b, packed->p, packed->n);
    return b;
}

static void assert_unpacks(struct bytes *packed, const struct bytes *kernel)
{
    struct image im;

    open_bytes(&im, packed);
    assert_int_equal(im.kind, IMAGE_LINUX);
    assert_int_equal(im.blob->size, kernel->n);
    image_load(&im, &ram);
    assert_ram(KERNEL, kernel->p, kernel->n);
    ram_fill(&ram, BASE, 0, RAM_SIZE);
    image_finish(&im);
}

static void packed_kernels_are_unpacked(void **state)
{
    struct bytes kernel = linux_make(0x200000, 0x300000, 200000);
    struct bytes gz = gzip(&kernel), zs = zstd(&kernel);
    struct bytes zgz = zboot(&gz, "gzip"), zzs = zboot(&zs, "zstd"), twice = gzip(&zzs);

    (void)state;
    assert_unpacks(&gz, &kernel);
    assert_unpacks(&zs, &kernel);
    assert_unpacks(&zgz, &kernel);
    assert_unpacks(&zzs, &kernel);
    assert_unpacks(&twice, &kernel);
    bytes_finish(&twice);
    gz.n /= 2;
    refuse(&gz, "gzip data is cut short or damaged");
    memset(zs.p + zs.n / 2, 0x5a, zs.n / 4);
    refuse(&zs, "zstd data is cut short or damaged");
    zgz.n -= 10;
    refuse(&zgz, "zboot data is cut short or damaged");
    strcpy((char *)zzs.p + 24, "xz");
    refuse(&zzs, "not gzip or zstd");
    bytes_finish(&kernel);
}

static void what_unpacks_to_too_much_is_refused(void **state)
{
    struct bytes zeroes = {0}, gz, zs, nested;

    (void)state;
    bytes_pad(&zeroes, 100 << 20);
    gz = gzip(&zeroes);
    zs = zstd(&zeroes);
    refuse(&zs, "unpacks to more than 80 MiB");
    nested = gzip(&gz);
    refuse(&gz, "unpacks to more than 80 MiB");
    refuse(&nested, "unpacks to more than 80 MiB");
    bytes_finish(&zeroes);
    zeroes = flat_make(100);
    for (unsigned i = 0; i < 5; i++) {
        struct bytes next = gzip(&zeroes);

        bytes_finish(&zeroes);
        zeroes = next;
    }
    refuse(&zeroes, "packed more than 4 times");
}

static void files_that_cannot_be_read_are_named(void **state)
{
    static const struct {
        const char *path, *text;
    } cases[] = {
        {"/nonexistent/kernel", "h1: kernel /nonexistent/kernel: No such file or directory"},
        {"/", "h1: kernel /: it is not a regular file"},
    };
    struct image im;
    struct bytes empty = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_false(try_file(&im, cases[i].path));
        assert_int_equal(err.n, 1);
        assert_string_equal(err.texts[0], cases[i].text);
        err_finish(&err);
        err = (struct err){0};
    }
    refuse(&empty, "the file is empty");
}

/* Valid images with bytes changed, and cut: nothing but a sentence may come of it. */
static void damaged_images_do_no_harm(void **state)
{
    struct bytes kernel = linux_make(0x200000, 0x10000, 3000);
    struct bytes seeds[6] = {elf_example(2, BASE), elf_example(3, 0), kernel, gzip(&kernel),
                             zstd(&kernel), {0}};
    const char *text = getenv("SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : 1;
    struct rng rng;

    (void)state;
    seeds[5] = zboot(&seeds[3], "gzip");
    printf("# SEED=%llu\n", (unsigned long long)seed);
    rng_init(&rng, seed, "test_loader");
    for (unsigned i = 0; i < 3000; i++) {
        const struct bytes *s = &seeds[rng_below(&rng, ARRAY_LEN(seeds))];
        size_t n = rng_below(&rng, 4) ? s->n : rng_below(&rng, s->n + 1);
        uint8_t *copy = xmalloc(n + 1);

        memcpy(copy, s->p, n);
        for (uint64_t k = rng_below(&rng, 8); n && k > 0; k--)
            copy[rng_below(&rng, rng_below(&rng, 2) ? n : MIN(n, 240))] = (uint8_t)rng_next(&rng);
        loader_probe(copy, n);
        free(copy);
    }
    for (size_t i = 0; i < ARRAY_LEN(seeds); i++)
        bytes_finish(&seeds[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flat_binary_goes_where_asked),
        TEST(an_elf_is_laid_out_by_its_segments),
        TEST(a_position_independent_elf_goes_where_asked),
        TEST(guests_share_every_page_of_an_image),
        TEST(hostile_elf_files_are_refused),
        TEST(a_linux_image_says_where_and_how_large),
        TEST(packed_kernels_are_unpacked),
        TEST(what_unpacks_to_too_much_is_refused),
        TEST(files_that_cannot_be_read_are_named),
        TEST(damaged_images_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
