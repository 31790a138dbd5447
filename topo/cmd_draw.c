/* lanarium draw: a picture of a topology, as Graphviz DOT or, through dot(1), as SVG. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "topo/command.h"
#include "topo/draw.h"

extern char **environ;

struct draw_args {
    struct {
        const char **items;
        size_t n, cap;
    } defines;
    const char *output;
    bool svg;
};

static bool take_define(void *to, const char *value, struct err *err)
{
    (void)err;
    list_push(&((struct draw_args *)to)->defines, value);
    return true;
}

static bool take_output(void *to, const char *value, struct err *err)
{
    (void)err;
    ((struct draw_args *)to)->output = value;
    return true;
}

static bool take_svg(void *to, const char *value, struct err *err)
{
    (void)err;
    (void)value;
    ((struct draw_args *)to)->svg = true;
    return true;
}

const struct option draw_option_table[] = {
    {"--svg", NULL, "SVG, made by Graphviz's dot, instead of DOT", take_svg},
    {"-o", "FILE", "write it there, not to standard output", take_output},
    {"--define", "NAME=VALUE", "what the script sees as arg.NAME", take_define},
    {NULL, NULL, NULL, NULL},
};

/* Starts "dot -Tsvg" with `out` as its output; its input in *in. */
static bool dot_start(int out, pid_t *pid, FILE **in, struct err *err)
{
    char *argv[] = {"dot", "-Tsvg", NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    if (pipe(ends) != 0) {
        err_add(err, "draw --svg: no pipe: %s", strerror(errno));
        return false;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    int rc = posix_spawnp(pid, "dot", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    if (rc != 0) {
        close(ends[1]);
        err_add(err, rc == ENOENT ? "draw --svg needs Graphviz's dot (on Debian: apt-get install "
                                    "graphviz); without --svg the graph itself is printed"
                                  : "draw --svg: dot cannot be started");
        return false;
    }
    *in = fdopen(ends[1], "w");
    return true;
}

static bool draw_svg(const struct topo *t, int out, struct err *err)
{
    pid_t pid;
    FILE *in;
    int status;
    if (!dot_start(out, &pid, &in, err))
        return false;
    signal(SIGPIPE, SIG_IGN);
    draw_dot(t, in);
    fclose(in);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        err_add(err, "draw --svg: dot failed");
        return false;
    }
    return true;
}

static bool draw_out(const struct draw_args *a, const struct topo *t, struct err *err)
{
    FILE *f = a->output ? fopen(a->output, "w") : stdout;
    if (!f) {
        err_add(err, "%s cannot be written: %s", a->output, strerror(errno));
        return false;
    }
    bool good = true;
    if (a->svg)
        good = draw_svg(t, fileno(f), err);
    else
        draw_dot(t, f);
    if ((a->output ? fclose(f) : fflush(f)) != 0) {
        err_add(err, "%s cannot be written: %s", a->output ? a->output : "standard output",
                strerror(errno));
        good = false;
    }
    return good;
}

static int draw_file(const struct draw_args *a, const char *path)
{
    struct topo t;
    struct script s;
    int status = EXIT_BAD_INPUT;
    topo_init(&t, path);
    script_init(&s, &t, stderr, a->defines.items, a->defines.n);
    if (script_check(&s, &t, path))
        status = draw_out(a, &t, &t.err) ? EXIT_PASSED : EXIT_IO;
    topo_print_errors(&t);
    script_finish(&s);
    topo_finish(&t);
    return status;
}

int cmd_draw(int argc, char **argv)
{
    struct draw_args a = {0};
    struct err err = {0};
    int status;
    int left = options_read(draw_option_table, argc, argv, &a, &err);
    if (left >= 0 && left != 1)
        err_add(&err, left ? "one script at a time" : "which script?");
    if (err_any(&err))
        status = usage_error(command_find("draw"), &err);
    else
        status = draw_file(&a, argv[1]);
    free(a.defines.items);
    return status;
}
