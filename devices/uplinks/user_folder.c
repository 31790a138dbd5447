/*
 * mkdtemp makes a folder that nobody else can have made before (CVE-2015-4037). A small shell, in a
 * session of its own, waits until its input ends, which it does when we say so or are no more, by a
 * signal or a crash; then it removes the folder. So one way serves every end.
 */
#include "devices/uplinks/user_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* If we died, what we started may still be about to write there: then once more. */
static const char script[] = "trap '' HUP INT TERM QUIT PIPE; read -r word; rm -rf -- \"$1\"\n"
                             "[ \"$word\" = done ] || { sleep 2; rm -rf -- \"$1\"; }";

static bool keeper_start(struct user_folder *f, int input)
{
    char *argv[] = {"sh", "-c", (char *)script, "sh", f->path, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int error;

    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, input, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID);
    error = posix_spawn(&f->keeper, "/bin/sh", &files, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    errno = error;
    return error == 0;
}

static void folder_free(struct user_folder *f)
{
    if (f->life >= 0)
        close(f->life);
    free(f->path);
    free(f);
}

struct user_folder *user_folder_make(void)
{
    const char *in = getenv("TMPDIR");
    struct user_folder *f = xcalloc(1, sizeof(*f));
    int ends[2] = {-1, -1}, error;

    f->life = -1;
    f->path = xasprintf("%s/lanarium-XXXXXX", in && *in ? in : "/tmp");
    if (mkdtemp(f->path)) {
        if (pipe2(ends, O_CLOEXEC) == 0) {
            f->life = ends[1];
            if (keeper_start(f, ends[0])) {
                close(ends[0]);
                return f;
            }
        }
        error = errno;
        rmdir(f->path);
        if (ends[0] >= 0)
            close(ends[0]);
        errno = error;
    }
    error = errno;
    folder_free(f);
    errno = error;
    return NULL;
}

void user_folder_remove(struct user_folder *f)
{
    if (!f)
        return;
    /* If the shell is no more, somebody has killed it, and nothing more can be done. */
    ssize_t said = write(f->life, "done\n", 5);
    (void)said;
    close(f->life);
    f->life = -1;
    while (waitpid(f->keeper, NULL, 0) < 0 && errno == EINTR)
        ;
    folder_free(f);
}
