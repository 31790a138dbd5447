/* From a parent: systemd's protocol, and plain numbers. */
#include "devices/uplinks/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "devices/uplinks/watch.h"
#include "sim/base.h"

#define FIRST_LISTEN_FD 3

static long env_number(const char *name, long preset)
{
    const char *text = getenv(name);

    return text ? strtol(text, NULL, 10) : preset;
}

/* Its place in "web:lan:wan"; -1: it is not there. */
static int find_name(const char *names, const char *name)
{
    size_t len = strlen(name);

    for (int i = 0; names; i++) {
        size_t n = strcspn(names, ":");
        if (n == len && memcmp(names, name, n) == 0)
            return i;
        names = names[n] ? names + n + 1 : NULL;
    }
    return -1;
}

static int fd_named(const char *name, const char **why)
{
    int i = -1;

    if (env_number("LISTEN_PID", getpid()) == getpid())
        i = find_name(getenv("LISTEN_FDNAMES"), name);
    if (i < 0 || i >= env_number("LISTEN_FDS", 0)) {
        *why = "no descriptor of that name was passed (LISTEN_FDNAMES, LISTEN_PID)";
        return -1;
    }
    return FIRST_LISTEN_FD + i;
}

void inherit_nothing(void)
{
#ifdef SYS_close_range
    syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */);
#endif
}

int inherited_fd(uv_loop_t *loop, const char *text, const char **why)
{
    size_t digits = strspn(text, "0123456789");
    int fd = -1;

    if (digits && !text[digits] && digits < 9)
        fd = atoi(text);
    else if ((fd = fd_named(text, why)) < 0)
        return -1;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        *why = "it is not open; whoever starts lanarium must leave it open";
        return -1;
    }
    if (watch_exists(loop, fd)) {
        *why = "something else in this network has it";
        return -1;
    }
    return fd;
}
