/* Commands that guests' connections start, each in a session of its own, so that it ends as a whole. */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices/uplinks/user_door.h"

struct user_command {
    uv_process_t process;
    pid_t pid; /* 0: it has ended, and was waited for */
    void (*ended)(void *opaque, bool failed);
    void *opaque;
};

/* Descriptors of ours are not for commands, whoever opened them. */
static void keep_descriptors(void)
{
#ifdef SYS_close_range
    syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */);
#endif
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
    struct user_command *c = process->data;

    c->pid = 0;
    c->ended(c->opaque, status != 0 || signal != 0);
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

struct user_command *user_command_start(uv_loop_t *loop, const char *command, int fd,
                                        void (*ended)(void *opaque, bool failed), void *opaque)
{
    struct user_command *c = xcalloc(1, sizeof(*c));
    char *args[] = {"sh", "-c", (char *)command, NULL};
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_INHERIT_FD, .data.fd = fd},
        {.flags = UV_INHERIT_FD, .data.fd = fd},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
    };
    uv_process_options_t options = {.file = "/bin/sh",
                                    .args = args,
                                    .exit_cb = on_exit_of,
                                    .stdio = stdio,
                                    .stdio_count = 3,
                                    .flags = UV_PROCESS_DETACHED};

    keep_descriptors();
    c->process.data = c;
    c->ended = ended;
    c->opaque = opaque;
    if (uv_spawn(loop, &c->process, &options) != 0) {
        uv_close((uv_handle_t *)&c->process, on_closed);
        return NULL;
    }
    c->pid = c->process.pid;
    return c;
}

void user_command_end(struct user_command *c)
{
    if (c->pid) {
        kill(-c->pid, SIGKILL);
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    uv_close((uv_handle_t *)&c->process, on_closed);
}
