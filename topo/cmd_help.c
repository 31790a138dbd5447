/* lanarium help: how the commands are used, and what each object of a topology can have. */
#include "devices/nic.h"
#include "topo/command.h"
#include "topo/images.h"
#include "topo/schema.h"

static void overview(FILE *to)
{
    fputs("lanarium: networks of virtual machines, in virtual time, the same on every run\n\n"
          "commands:\n",
          to);
    for (const struct command *c = commands; c->name; c++)
        fprintf(to, "  lanarium %-7s %-24s %s\n", c->name, c->args, c->help);
    fputs("  lanarium -kernel FILE [OPTION...]         one guest, QEMU's options (help classic)\n"
          "\nobjects of a topology script (lanarium help NAME):\n ",
          to);
    for (int i = 0; i < TOPO_KINDS; i++)
        fprintf(to, " %s", schemas[i]->name);
    fputs("\n\nexit status: 0 passed, 1 a test failed, 2 bad input, 3 a file could not be "
          "written\nmanual: lanarium(1), lanarium-topology(5)\n",
          to);
}

static void command_help(const struct command *c, FILE *to)
{
    fprintf(to, "lanarium %s %s\n  %s\n", c->name, c->args, c->help);
    if (c->options)
        fputc('\n', to);
    for (const struct option *o = c->options; o && o->name; o++)
        fprintf(to, "  %-10s %-11s %s\n", o->name, o->value ? o->value : "", o->help);
}

/* What the tables of names hold, below an object's attributes. */
static void names_help(const struct schema *s, FILE *to)
{
    if (s == schemas[TOPO_NIC]) {
        fputs("\nmodels:\n", to);
        for (const struct nic_model *m = nic_models; m->name; m++)
            fprintf(to, "  %-16s %s (%s)\n", m->name, m->help, m->bus);
    }
    if (s == schemas[TOPO_GUEST]) {
        fputs("\nimages:\n", to);
        for (const struct image *i = images; i->name; i++)
            fprintf(to, "  %-16s %s%s%s\n", i->name, i->help,
                    i->fetch ? "; made by: lanarium image " : "", i->fetch ? i->fetch : "");
    }
}

/* All attributes as mdoc(7), from which the manual page is made and tested. */
static int mdoc_all(void)
{
    for (int i = 0; i < TOPO_KINDS; i++)
        schema_mdoc(schemas[i], stdout);
    return EXIT_PASSED;
}

int cmd_help(int argc, char **argv)
{
    const struct command *c;
    const struct schema *s;
    if (argc < 2) {
        overview(stdout);
        return EXIT_PASSED;
    }
    if (strcmp(argv[1], "--mdoc") == 0)
        return mdoc_all();
    if (strcmp(argv[1], "classic") == 0) {
        classic_help(stdout);
        return EXIT_PASSED;
    }
    if ((c = command_find(argv[1]))) {
        command_help(c, stdout);
        return EXIT_PASSED;
    }
    if ((s = schema_find(argv[1]))) {
        schema_help(s, stdout);
        names_help(s, stdout);
        return EXIT_PASSED;
    }
    fprintf(stderr, "lanarium: there is no help on \"%s\"; 'lanarium help' says what there is\n",
            argv[1]);
    return EXIT_BAD_INPUT;
}
