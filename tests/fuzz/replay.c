/*
 * Seeds fed to a fuzzer, without libFuzzer.
 *
 * Each file of seeds/NAME/, where the program is called replay_NAME (or of a folder that is its
 * argument), is fed as it is, cut short at CUTS places, and with a few bytes changed, FLIPS times,
 * by a generator that the file's name seeds. It speaks TAP: a test is a seed; one that crashes ends
 * the program.
 */
#include <dirent.h>
#include <stdio.h>

#include "sim/rng.h"

#define MAX_SEED (1u << 20)
#define CUTS 64
#define FLIPS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* On the heap and of exactly that size, so that a sanitizer sees what reads beyond it. */
static void feed(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = xmalloc(n ? n : 1);

    memcpy(copy, bytes, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void feed_variants(const char *name, uint8_t *bytes, size_t n)
{
    struct rng r;

    rng_init(&r, 1, name);
    feed(bytes, n);
    for (size_t i = 0; i < CUTS && n; i++)
        feed(bytes, rng_below(&r, n));
    for (size_t i = 0; i < FLIPS && n; i++) {
        uint8_t was[3];
        size_t at[3];
        for (size_t k = 0; k < 3; k++) {
            at[k] = rng_below(&r, n);
            was[k] = bytes[at[k]];
            bytes[at[k]] = (uint8_t)rng_next(&r);
        }
        feed(bytes, n);
        for (size_t k = 3; k-- > 0;)
            bytes[at[k]] = was[k];
    }
}

static int no_dots(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static char *seeds_folder(int argc, char **argv)
{
    const char *source = getenv("SRCDIR"), *name = strstr(argv[0], "replay_");

    if (argc > 1)
        return xstrdup(argv[1]);
    return xasprintf("%s/tests/fuzz/seeds/%s", source ? source : SRCDIR,
                     name ? name + strlen("replay_") : "");
}

int main(int argc, char **argv)
{
    static uint8_t bytes[MAX_SEED];
    struct dirent **names;
    char *folder = seeds_folder(argc, argv);
    int n = scandir(folder, &names, no_dots, alphasort);

    if (n < 1) {
        printf("Bail out! there are no seeds in %s\n", folder);
        return 2;
    }
    for (int i = 0; i < n; i++) {
        char *path = xasprintf("%s/%s", folder, names[i]->d_name);
        FILE *f = fopen(path, "rb");
        if (f) {
            feed_variants(names[i]->d_name, bytes, fread(bytes, 1, sizeof(bytes), f));
            fclose(f);
        }
        printf("%sok %d - %s\n", f ? "" : "not ", i + 1, names[i]->d_name);
        fflush(stdout);
        free(path);
        free(names[i]);
    }
    free(names);
    free(folder);
    printf("1..%d\n", n);
    return 0;
}
