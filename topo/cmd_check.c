/* lanarium check: say everything that is wrong with a topology script; run nothing. */
#include "topo/command.h"

struct check_args {
    LIST_OF(const char *) defines;
};

static bool take_define(void *to, const char *value, struct err *err)
{
    (void)err;
    list_push(&((struct check_args *)to)->defines, value);
    return true;
}

const struct option check_option_table[] = {
    {"--define", "NAME=VALUE", "what the script sees as arg.NAME", take_define},
    {NULL, NULL, NULL, NULL},
};

bool script_check(struct script *s, struct topo *t, const char *path)
{
    /* What a script that broke off has declared is not checked: half of it is missing. */
    return script_load(s, path) && topo_check(t);
}

static void summary(const struct topo *t, const char *path)
{
    const struct {
        size_t n;
        const char *what;
    } counts[] = {{t->guests.n, "guest"},
                  {t->vlans.n, "VLAN"},
                  {t->uplinks.n, "uplink"},
                  {t->captures.n, "capture"},
                  {t->tests.n, "test"}};
    printf("%s: ", path);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        printf("%s%zu %s%s", i ? ", " : "", counts[i].n, counts[i].what,
               counts[i].n == 1 ? "" : "s");
    puts("; nothing is wrong");
}

static int check_file(struct check_args *a, const char *path)
{
    struct topo t;
    struct script s;
    topo_init(&t, path);
    script_init(&s, &t, stdout, a->defines.items, a->defines.n);
    bool good = script_check(&s, &t, path);
    topo_print_errors(&t);
    if (good)
        summary(&t, path);
    script_finish(&s);
    topo_finish(&t);
    return good ? EXIT_PASSED : EXIT_BAD_INPUT;
}

int cmd_check(int argc, char **argv)
{
    struct check_args a = {0};
    struct err err = {0};
    int status = EXIT_PASSED;
    int left = options_read(check_option_table, argc, argv, &a, &err);
    if (left == 0)
        err_add(&err, "which script?");
    if (err_any(&err))
        status = usage_error(command_find("check"), &err);
    for (int i = 1; i <= left; i++)
        if (check_file(&a, argv[i]) != EXIT_PASSED)
            status = EXIT_BAD_INPUT;
    free(a.defines.items);
    return status;
}
