/* What the tests of stream links have in common. */
#include "tests/uplinks/stream_rig.h"

#include <sys/un.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>

struct peer_rig r;
static unsigned wanted_peers;

/* --- links --- */

struct uplink *stream_start_another(const struct stream_options *o, struct vlan *v)
{
    struct err err = {0};
    struct uplink *u = stream_create(&r.rig.sim, "link", o, &err);

    if (!u)
        err_print(&err, stderr);
    assert_non_null(u);
    uplink_attach(u, v, &v->link);
    return u;
}

void stream_start(const struct stream_options *o)
{
    peer_rig_init(&r);
    r.uplink = stream_start_another(o, r.vlan);
}

void stream_start_listening(void)
{
    stream_start(STREAM_OPTIONS(.listen = "127.0.0.1:0"));
}

void stream_refused(const struct stream_options *o, const char *sentence)
{
    struct sim s;
    struct err err = {0};

    sim_init(&s, &(struct sim_options){.seed = 1});
    assert_null(stream_create(&s, "link", o, &err));
    assert_int_equal(err.n, 1);
    assert_string_equal(err.texts[0], sentence);
    err_finish(&err);
    sim_finish(&s);
}

const char *stream_where(struct uplink *u)
{
    static char where[128];
    char *text = stream_address(u);

    snprintf(where, sizeof(where), "%s", text);
    free(text);
    return where;
}

bool stream_until(bool (*condition)(void))
{
    for (int i = 0; i < 3000 && !condition(); i++)
        peer_rig_run(&r, 1);
    return condition();
}

static bool has_peers(void)
{
    return stream_peers(r.uplink) == wanted_peers;
}

bool stream_until_peers(unsigned n)
{
    wanted_peers = n;
    return stream_until(has_peers);
}

unsigned stream_count_ports(const struct uplink *u)
{
    unsigned n = 0;

    for (const struct uplink_port *p = u->ports; p; p = p->next)
        n++;
    return n;
}

bool stream_has_no_port(void)
{
    return !r.uplink->ports;
}

/* The talker sends a frame to everyone, as soon as it can. */
void stream_talk(uint32_t len, uint8_t mark)
{
    rig_send_at(r.talker, r.rig.sim.now, 0xff, len, mark);
    peer_rig_run(&r, 1);
}

/* --- the test's sockets --- */

int stream_connect(void)
{
    const char *where = stream_where(r.uplink);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons((uint16_t)atoi(strrchr(where, ':') + 1))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_return_code(connect(fd, (struct sockaddr *)&a, sizeof(a)), errno);
    return fd;
}

int stream_listen(const char **address)
{
    static char text[64];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    assert_return_code(bind(fd, (struct sockaddr *)&a, sizeof(a)), errno);
    assert_return_code(listen(fd, 16), errno);
    getsockname(fd, (struct sockaddr *)&a, &len);
    snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(a.sin_port));
    *address = text;
    return fd;
}

int stream_accept(int listener)
{
    struct pollfd p = {.fd = listener, .events = POLLIN};

    for (int i = 0; i < 3000 && poll(&p, 1, 0) == 0; i++)
        peer_rig_run(&r, 1);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_return_code(fd, errno);
    return fd;
}

void stream_write(int fd, const void *bytes, size_t len)
{
    size_t done = 0;

    for (int patience = 5000; done < len && patience;) {
        ssize_t n = send(fd, (const char *)bytes + done, len - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            done += (size_t)n;
        } else {
            peer_rig_run(&r, 1);
            patience--;
        }
    }
    assert_int_equal(done, len);
}

void stream_write_frame(int fd, uint32_t len, uint8_t mark)
{
    uint8_t *bytes = xmalloc(4 + len);

    store_be32(bytes, len);
    peer_frame(bytes + 4, len, mark);
    stream_write(fd, bytes, 4 + len);
    free(bytes);
}

/* The link runs while there is nothing to read: what is missing may wait inside of it. */
static ssize_t read_all(int fd, uint8_t *to, size_t len)
{
    size_t done = 0;

    for (int patience = 2000; done < len && patience;) {
        ssize_t n = recv(fd, to + done, len - done, MSG_DONTWAIT);
        if (n == 0)
            return 0;
        if (n > 0) {
            done += (size_t)n;
        } else {
            peer_rig_run(&r, 1);
            patience--;
        }
    }
    return done == len ? (ssize_t)len : -1;
}

int stream_read_frame(int fd, uint8_t to[70000])
{
    uint8_t header[4];
    ssize_t n = read_all(fd, header, sizeof(header));

    if (n <= 0)
        return (int)n;
    uint32_t len = load_be32(header);
    assert_in_range(len, 1, 70000);
    assert_int_equal(read_all(fd, to, len), len);
    return (int)len;
}

bool stream_closed(int fd)
{
    uint8_t byte;
    ssize_t n = -1;

    for (int i = 0; i < 3000; i++) {
        n = recv(fd, &byte, 1, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return true;
        peer_rig_run(&r, 1);
    }
    return false;
}

/* --- the rest --- */

void stream_described(struct uplink *u, const char *part)
{
    char text[512] = "";
    FILE *to = fmemopen(text, sizeof(text), "w");

    u->ops->describe(u, to);
    fclose(to);
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

unsigned stream_count_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* --- unix sockets --- */

char stream_path[80], stream_unix_address[90];

void stream_choose_path(void)
{
    snprintf(stream_path, sizeof(stream_path), "/tmp/lanarium-stream-%d", (int)getpid());
    snprintf(stream_unix_address, sizeof(stream_unix_address), "unix:%s", stream_path);
    unlink(stream_path);
}

int stream_connect_unix(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(a.sun_path, stream_path, strlen(stream_path));
    assert_return_code(connect(fd, (struct sockaddr *)&a, sizeof(a)), errno);
    return fd;
}
