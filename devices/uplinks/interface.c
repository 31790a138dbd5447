/*
 * News are a reason to look, and nothing is read from them: so it does not matter if some are lost.
 */
#include "devices/uplinks/interface.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/uplinks/watch.h"

static void on_news(void *opaque, int events)
{
    struct interface *i = opaque;
    char bytes[4096];

    (void)events;
    while (recv(i->news_fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        ;
    i->changed(i->opaque);
}

bool interface_open(struct interface *i, const char *name, uv_loop_t *loop,
                    void (*changed)(void *opaque), void *opaque)
{
    struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};

    *i = (struct interface){.changed = changed, .opaque = opaque};
    snprintf(i->name, sizeof(i->name), "%s", name);
    i->control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    i->news_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (i->news_fd >= 0 && bind(i->news_fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        i->news = watch_open(loop, i->news_fd, on_news, i);
    if (i->control < 0 || !i->news)
        return false;
    watch_set(i->news, UV_READABLE);
    return true;
}

unsigned interface_flags(const struct interface *i)
{
    struct ifreq r = {0};

    memcpy(r.ifr_name, i->name, sizeof(r.ifr_name));
    return ioctl(i->control, SIOCGIFFLAGS, &r) == 0 ? (unsigned short)r.ifr_flags : 0;
}

void interface_close(struct interface *i)
{
    if (i->news)
        watch_close(i->news);
    else if (i->news_fd >= 0)
        close(i->news_fd);
    if (i->control >= 0)
        close(i->control);
    *i = (struct interface){.control = -1, .news_fd = -1};
}
