/*
 * The same work for QEMU's hub: pushes frames into one of its TCP socket links, counts what the
 * hub hands to another, and prints frames per second and the frames that arrived.
 *
 *     hub_peer PORT-IN PORT-OUT [FRAMES [SIZE]]    on 127.0.0.1
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 1024

static int connect_to(const char *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int tries = 0; tries < 100; tries++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
            return fd;
        close(fd);
        usleep(50000);
    }
    fprintf(stderr, "hub_peer: nothing listens on port %s\n", port);
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static uint8_t batch[BATCH * 2048], in[1 << 18];

    if (argc < 3)
        return 2;
    uint64_t frames = argc > 3 ? strtoull(argv[3], NULL, 0) : 1000000;
    size_t size = argc > 4 ? (size_t)atoi(argv[4]) : 64, unit = size + 4;
    if (size < 60 || unit > 2048)
        return 2;
    int to = connect_to(argv[1]), from = connect_to(argv[2]);
    for (unsigned i = 0; i < BATCH; i++) {
        uint32_t len = htonl((uint32_t)size);
        memcpy(batch + i * unit, &len, 4);
        memcpy(batch + i * unit + 4, "\2\0\0\0\0\2\2\0\0\0\0\1\x88\xb5", 14);
    }

    uint64_t sent = 0, got = 0, total = frames * unit;
    double began = now();
    while (got < total) {
        struct pollfd p[2] = {{.fd = to, .events = sent < total ? POLLOUT : 0},
                              {.fd = from, .events = POLLIN}};
        if (poll(p, 2, 5000) <= 0)
            break;
        if (p[0].revents & POLLOUT) {
            size_t at = sent % (BATCH * unit), n = BATCH * unit - at;
            if (n > total - sent)
                n = total - sent;
            ssize_t w = send(to, batch + at, n, MSG_DONTWAIT | MSG_NOSIGNAL);
            sent += w > 0 ? (uint64_t)w : 0;
        }
        if (p[1].revents & POLLIN) {
            ssize_t r = recv(from, in, sizeof(in), MSG_DONTWAIT);
            if (r <= 0)
                break;
            got += (uint64_t)r;
        }
    }
    double took = now() - began;
    if (got < total)
        fprintf(stderr, "hub_peer: the hub lost %llu bytes of %llu\n",
                (unsigned long long)(total - got), (unsigned long long)total);
    printf("%.0f %llu\n", (double)(got / unit) / took, (unsigned long long)(got / unit));
    return 0;
}
