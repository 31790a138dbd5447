/*
 * Differential test: random programs on our hart and on QEMU's, outcome against outcome.
 *
 *     diff [-s SEED] [-n ROUNDS] [-k] [-v]
 *
 * Round i is the program of seed SEED + i. A mismatch is narrowed down to the instruction after
 * which the two first differ. -k goes on after a mismatch; -v lists programs.
 */
#include <stdio.h>
#include <unistd.h>

#include "tests/diff/compare.h"

#define LENGTH 200
#define EXIT_SKIPPED 77

struct options {
    uint64_t seed;
    unsigned long rounds;
    bool keep_going, verbose;
};

/* One program and what the two made of its first `n` instructions. */
static struct program program;
static struct outcome ours, peer;

static void fatal(const char *why)
{
    printf("not ok 1 - %s\n", why);
    runner_ours.close();
    runner_qemu.close();
    exit(1);
}

/** Run the first n instructions on both; whether they agree. */
static bool agree(unsigned n)
{
    uint8_t code[MAX_CODE];
    unsigned len;
    char why[160];

    program_encode(&program, n, code, &len);
    if (!runner_ours.run(&program.start, program.scratch, code, len, &ours, why, sizeof(why)) ||
        !runner_qemu.run(&program.start, program.scratch, code, len, &peer, why, sizeof(why)))
        fatal(why);
    return outcome_same(&ours, &peer);
}

static void print_insn(unsigned i)
{
    const struct insn *in = &program.insns[i];

    printf("#   %3u %llx: %0*x%*s %s\n", i, (unsigned long long)program_address(&program, i),
           2 * in->size, in->word, 8 - 2 * in->size, "", in->name);
}

/**
 * Shorter programs until one agrees. Not a bisection: a difference may be overwritten later, and a
 * run takes a fraction of a millisecond.
 */
static void narrow_down(uint64_t seed)
{
    unsigned n = 1;

    while (n < program.n && agree(n))
        n++;
    agree(n);
    printf("# seed %llu: ours and QEMU's differ after instruction %u:\n",
           (unsigned long long)seed, n - 1);
    for (unsigned i = n > 6 ? n - 6 : 0; i < n; i++)
        print_insn(i);
    outcome_print_difference(&ours, &peer);
    agree(n - 1);
    printf("#   before it: fcsr %llx", (unsigned long long)ours.fcsr);
    for (unsigned i = 1; i < 32; i++)
        printf("%sx%u %016llx", i % 4 == 1 ? "\n#   " : "  ", i, (unsigned long long)ours.x[i]);
    for (unsigned i = 0; i < 32; i++)
        printf("%sf%u %016llx", i % 4 == 0 ? "\n#   " : "  ", i, (unsigned long long)ours.f[i]);
    printf("\n# to repeat: tests/diff/diff -s %llu -n 1\n", (unsigned long long)seed);
}

static unsigned long run_rounds(const struct options *o, unsigned long long *n_insns)
{
    unsigned long bad = 0;

    for (unsigned long round = 0; round < o->rounds && (bad == 0 || o->keep_going); round++) {
        uint64_t seed = o->seed + round;

        program_generate(&program, seed, LENGTH);
        if (o->verbose) {
            printf("# seed %llu\n", (unsigned long long)seed);
            for (unsigned i = 0; i < program.n; i++)
                print_insn(i);
        }
        *n_insns += program.n;
        if (!agree(program.n)) {
            narrow_down(seed);
            bad++;
        }
    }
    return bad;
}

static bool options_parse(struct options *o, int argc, char **argv)
{
    int c;

    while ((c = getopt(argc, argv, "s:n:kv")) != -1) {
        switch (c) {
        case 's': o->seed = strtoull(optarg, NULL, 0); break;
        case 'n': o->rounds = strtoul(optarg, NULL, 0); break;
        case 'k': o->keep_going = true; break;
        case 'v': o->verbose = true; break;
        default: return false;
        }
    }
    return optind == argc;
}

int main(int argc, char **argv)
{
    struct options o = {.seed = 1, .rounds = 2000};
    unsigned long long n_insns = 0;
    unsigned long bad;
    char why[160];

    if (!options_parse(&o, argc, argv)) {
        fprintf(stderr, "usage: diff [-s SEED] [-n ROUNDS] [-k] [-v]\n");
        return 2;
    }
    if (!runner_qemu.open(why, sizeof(why))) {
        printf("%s\n", why);
        return EXIT_SKIPPED;
    }
    if (!runner_ours.open(why, sizeof(why)))
        fatal(why);
    setvbuf(stdout, NULL, _IOLBF, 0); /* a long round shows what it finds as it finds it */
    printf("# seed %llu, %lu rounds\n", (unsigned long long)o.seed, o.rounds);
    bad = run_rounds(&o, &n_insns);
    printf("%s 1 - random programs run as on QEMU: %lu programs, %llu instructions, %lu differ\n",
           bad ? "not ok" : "ok", o.rounds, n_insns, bad);
    runner_ours.close();
    runner_qemu.close();
    return bad != 0;
}
