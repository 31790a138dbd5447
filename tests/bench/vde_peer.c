/*
 * The same work for vde_switch: one plug sends frames, another counts them; prints frames per second
 * and those that arrived. At most IN_FLIGHT are on their way, since the switch drops what a plug does
 * not take.
 *
 *     vde_peer FOLDER-OF-THE-SWITCH [FRAMES]
 */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SIZE 64
#define IN_FLIGHT 8 /* net.unix.max_dgram_qlen is 10 by default */

/* What a plug asks at the control socket; the answer is the address of the port's socket. */
struct request {
    uint32_t magic, version, type;
    struct sockaddr_un from;
    char description[128];
} __attribute__((packed));

static int control_connect(const char *dir)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    snprintf(a.sun_path, sizeof(a.sun_path), "%s/ctl", dir);
    for (int tries = 0; tries < 100; tries++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
            return fd;
        close(fd);
        usleep(50000);
    }
    fprintf(stderr, "vde_peer: no switch in %s\n", dir);
    exit(1);
}

/* A port of the switch: frames are datagrams. The control connection stays open with it. */
static int plug(const char *dir, int number)
{
    struct request r = {.magic = 0xfeedface, .version = 3, .from.sun_family = AF_UNIX};
    struct sockaddr_un port;
    int control = control_connect(dir), fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    snprintf(r.from.sun_path, sizeof(r.from.sun_path), "%s/plug%d", dir, number);
    if (bind(fd, (struct sockaddr *)&r.from, sizeof(r.from)) < 0 ||
        send(control, &r, sizeof(r), 0) != (ssize_t)sizeof(r) ||
        recv(control, &port, sizeof(port), 0) <= 0 ||
        connect(fd, (struct sockaddr *)&port, sizeof(port)) < 0) {
        perror("vde_peer");
        exit(1);
    }
    return fd;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, ms) > 0;
}

int main(int argc, char **argv)
{
    uint8_t there[SIZE] = "\2\0\0\0\0\2\2\0\0\0\0\1\x88\xb5", in[2048];
    uint8_t back[SIZE] = "\2\0\0\0\0\1\2\0\0\0\0\2\x88\xb5";
    uint64_t frames = argc > 2 ? strtoull(argv[2], NULL, 0) : 500000, sent = 0, got = 0, lost = 0;

    if (argc < 2)
        return 2;
    int a = plug(argv[1], 0), b = plug(argv[1], 1);
    send(b, back, SIZE, 0); /* so that the switch knows where it is */
    readable(a, 1000);
    double began = now();
    while (got + lost < frames) {
        for (; sent < frames && sent - got - lost < IN_FLIGHT; sent++)
            send(a, there, SIZE, 0);
        if (!readable(b, 200))
            lost = sent - got;
        while (recv(b, in, sizeof(in), MSG_DONTWAIT) > 0)
            got++;
    }
    printf("%.0f %llu\n", (double)got / (now() - began), (unsigned long long)got);
    return 0;
}
