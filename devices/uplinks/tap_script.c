/*
 * Scripts and helpers of TAP interfaces.
 *
 * Each gets a group of processes of its own, so that one that hangs is ended with all that it waits
 * for. The script that sets up runs beside the simulation, on the loop; the one at the end, and a
 * helper, are waited for.
 */
#include "devices/uplinks/tap_script.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "devices/uplinks/inherited.h"
#include "devices/uplinks/watch.h"
#include "sim/units.h"

extern char **environ;

/* --- those that are waited for --- */

pid_t tap_spawn(char *const argv[], int keep)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    pid_t pid = -1;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                        POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, 2, 1); /* standard output may be a capture */
    if (keep >= 0)
        posix_spawn_file_actions_adddup2(&files, keep, keep); /* stays open */
    inherit_nothing();
    errno = posix_spawn(&pid, argv[0], &files, &attr, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    return errno ? -1 : pid;
}

static int64_t host_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

struct tap_result tap_wait(pid_t pid, vtime_t timeout_ns)
{
    struct timespec nap = {.tv_nsec = 2 * NS_PER_MS};
    struct tap_result r = {TAP_ENDED, 0};
    int64_t last = host_ns() + timeout_ns;
    pid_t got;

    while ((got = waitpid(pid, &r.status, WNOHANG)) == 0 && host_ns() < last)
        nanosleep(&nap, NULL);
    if (got != 0)
        return r;
    kill(-pid, SIGKILL);
    waitpid(pid, &r.status, 0);
    r.end = TAP_HUNG;
    return r;
}

/* --- the one that runs beside us --- */

/* The handle lives until the loop has closed it, so it is apart from its script. */
struct tap_script {
    uv_process_t process;
    struct alarm *alarm;
    bool running, late, told;
    struct tap_result result;
    void (*done)(void *opaque, struct tap_result r);
    void *opaque;
};

static void tell(struct tap_script *s)
{
    alarm_cancel(s->alarm);
    s->told = true;
    s->done(s->opaque, s->result);
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal)
{
    struct tap_script *s = process->data;

    s->running = false;
    s->result.end = s->late ? TAP_HUNG : TAP_ENDED;
    s->result.status = signal ? signal : (int)(status & 0xff) << 8;
    tell(s);
}

/* Too late, or it could not be started. */
static void on_alarm(void *opaque)
{
    struct tap_script *s = opaque;

    if (!s->running) {
        tell(s);
        return;
    }
    s->late = true;
    kill(-s->process.pid, SIGKILL); /* on_process_exit comes soon */
}

struct tap_script *tap_script_start(uv_loop_t *loop, const char *path, const char *ifname,
                                    vtime_t timeout_ns,
                                    void (*done)(void *opaque, struct tap_result r), void *opaque)
{
    struct tap_script *s = xcalloc(1, sizeof(*s));
    char *args[] = {(char *)path, (char *)ifname, NULL};
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE}, {UV_INHERIT_FD, {.fd = 2}}, {UV_INHERIT_FD, {.fd = 2}}};
    uv_process_options_t options = {.exit_cb = on_process_exit,
                                    .file = path,
                                    .args = args,
                                    .flags = UV_PROCESS_DETACHED, /* a group of its own */
                                    .stdio = stdio,
                                    .stdio_count = 3};

    s->done = done;
    s->opaque = opaque;
    s->alarm = alarm_open(loop, on_alarm, s);
    inherit_nothing();
    int error = uv_spawn(loop, &s->process, &options);
    s->process.data = s;
    s->running = error == 0;
    s->result = (struct tap_result){TAP_NOT_STARTED, -error};
    alarm_set(s->alarm, error ? 0 : (uint64_t)(timeout_ns / NS_PER_MS));
    return s;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void tap_script_stop(struct tap_script *s)
{
    if (!s)
        return;
    alarm_close(s->alarm);
    uv_close((uv_handle_t *)&s->process, on_closed);
    if (s->running) { /* closed, it is nobody's to wait for but ours */
        kill(-s->process.pid, SIGKILL);
        waitpid(s->process.pid, NULL, 0);
    }
}

/* --- sentences --- */

bool tap_result_good(struct tap_result r, const char *what, const char *path,
                     const struct tap_options *o, struct err *err)
{
    char limit[32];

    if (r.end == TAP_NOT_STARTED)
        err_at(err, o->file, o->line, "%s %s cannot be started: %s", what, path,
               strerror(r.status));
    else if (r.end == TAP_HUNG)
        err_at(err, o->file, o->line,
               "%s %s had not ended after %s, and was killed; script_timeout allows more", what,
               path, units_format_time(o->timeout_ns, limit, sizeof(limit)));
    else if (WIFSIGNALED(r.status))
        err_at(err, o->file, o->line, "%s %s was ended by signal %d (%s)", what, path,
               WTERMSIG(r.status), strsignal(WTERMSIG(r.status)));
    else if (WEXITSTATUS(r.status) != 0)
        err_at(err, o->file, o->line, "%s %s failed: exit status %d", what, path,
               WEXITSTATUS(r.status));
    else
        return true;
    return false;
}

bool tap_program_check(const char *what, const char *path, const struct tap_options *o,
                       struct err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        err_at(err, o->file, o->line, "%s %s: %s", what, path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        err_at(err, o->file, o->line, "%s %s is not a file", what, path);
    else if (access(path, X_OK) != 0)
        err_at(err, o->file, o->line, "%s %s cannot be executed: chmod +x %s", what, path, path);
    else
        return true;
    return false;
}
