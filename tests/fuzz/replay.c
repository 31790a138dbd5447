/* Runs a fuzzer's function once for each file of its seeds' folder; a plain main, for make check.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>

#include "sim/base.h"
#include "tests/fuzz/fuzz.h"

#define MAX_SEED (1u << 20)

static uint8_t bytes[MAX_SEED];

static bool replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");

    if (!f)
        return false;
    size_t n = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    uint8_t *exact = xmalloc(n + !n); /* so that a sanitizer sees its end */
    memcpy(exact, bytes, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return true;
}

/* One TAP line for the folder: a seed that fails ends the process, and that is told. */
int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
    name += strncmp(name, "fuzz_", 5) == 0 ? 5 : 0;
    char *own = xasprintf(SRCDIR "/tests/fuzz/seeds/%.*s", (int)strcspn(name, "."), name);
    char *folder = argc > 1 ? argv[1] : own; /* it is called fuzz_NAME.replay */
    DIR *d = opendir(folder);
    struct dirent *e;
    unsigned n = 0;
    bool good = true;

    printf("1..1\n");
    fflush(stdout);
    while (d && (e = readdir(d))) {
        if (e->d_name[0] == '.')
            continue;
        char *path = xasprintf("%s/%s", folder, e->d_name);
        good &= replay_file(path);
        n++;
        free(path);
    }
    if (d)
        closedir(d);
    good &= n > 0;
    printf("%sok 1 - %u seeds of %s\n", good ? "" : "not ", n, folder);
    free(own);
    return !good;
}
