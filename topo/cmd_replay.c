/*
 * lanarium replay: run a recorded network again, on what entered it from outside then.
 *
 * The recorded command line is read again and describes the same network, in which every uplink is
 * something that opens nothing. What the run shows, and how fast it is, the replay's own options
 * say.
 */
#include "topo/replay.h"

#include <errno.h>
#include <sys/stat.h>

#include "sim/recording.h"
#include "topo/command.h"

/* --- paths --- */

/* Makes the folders of a path, as far as they are missing. */
static bool folders_make(char *path, struct err *err)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            err_add(err, "--captures: the folder %s cannot be made: %s", path, strerror(errno));
            return false;
        }
        *slash = '/';
    }
    return true;
}

char *replay_path(const char *folder, const char *path, struct err *err)
{
    if (!folder || path[0] == '/' || strcmp(path, "-") == 0)
        return xstrdup(path);
    char *full = xasprintf("%s/%s", folder, path);
    if (folders_make(full, err))
        return full;
    free(full);
    return NULL;
}

/* Where something goes that was written to `path`; interned. NULL with a sentence. */
static const char *path_now(const struct replay *r, struct topo *t, const char *path,
                            struct err *err)
{
    char *full = replay_path(r->own.captures, path, err);
    const char *known = topo_intern(t, full);
    free(full);
    return known;
}

static bool captures_move(const struct replay *r, struct topo *t, struct err *err)
{
    for (size_t i = 0; i < t->captures.n; i++) {
        const char *path = path_now(r, t, t->captures.items[i]->name, err);
        if (!path)
            return false;
        t->captures.items[i]->name = path;
    }
    return true;
}

/* --- the recorded run, again --- */

/* Replayed disks do not change: the next replay needs them as they are. */
static void disks_protect(struct topo *t)
{
    for (size_t i = 0; i < t->objects.n; i++)
        if (t->objects.items[i]->kind == TOPO_DISK)
            ((struct topo_disk *)t->objects.items[i])->writable = false;
}

bool replay_prepare(const struct replay *r, struct topo *t, struct run_options *o, struct err *err)
{
    struct run_options now = r->own;

    if (!made_from_matches(&r->from, t, err) || !captures_move(r, t, err))
        return false;
    disks_protect(t);
    now.limit = o->limit;
    now.console = o->console;
    now.console_use = o->console_use;
    now.guest_status = o->guest_status;
    now.mute = now.quiet;
    now.quiet |= r->from.classic && !now.stats;
    now.sim.playback = r->playback;
    now.replay = r;
    if (o->console_file && !(now.console_file = path_now(r, t, o->console_file, err)))
        return false;
    *o = now;
    return true;
}

/* Whoever reads the words moves them about in their array, so that is another one. */
static int run_again(struct replay *r)
{
    const struct made_from *from = &r->from;
    int argc = (int)from->args.n, status;
    char **argv = xcalloc(from->args.n + 1, sizeof(*argv)); /* ends in NULL, as main has it */

    for (size_t i = 0; i < from->args.n; i++)
        argv[i] = from->args.items[i];
    status = from->classic ? classic_main(argc, argv, r) : run_main(argc, argv, r);
    free(argv);
    return status;
}

static int replay_file(struct replay *r, const char *path)
{
    struct err err = {0};
    int status = EXIT_BAD_INPUT;

    r->playback = playback_open(path, &err);
    if (r->playback && made_from_read(&r->from, playback_header(r->playback), path, &err) &&
        made_from_scripts_good(&r->from, &err))
        status = run_again(r);
    err_print(&err, stderr);
    err_finish(&err);
    playback_close(r->playback, &err); /* what it has to say was said when the run was over */
    err_finish(&err);
    made_from_finish(&r->from);
    return status;
}

int cmd_replay(int argc, char **argv)
{
    struct run_args a = {0};
    struct err err = {0};
    struct replay r = {0};
    int status;
    run_options_init(&a.o);
    int left = options_read(replay_option_table, argc, argv, &a, &err);
    if (left >= 0 && left != 1)
        err_add(&err, left ? "one recording at a time" : "which recording?");
    r.own = a.o;
    if (err_any(&err))
        status = usage_error(command_find("replay"), &err);
    else
        status = replay_file(&r, argv[1]);
    free(a.defines.items);
    return status;
}
