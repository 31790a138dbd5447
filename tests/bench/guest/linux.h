/* The few system calls of Linux on riscv64 that traffic.c needs, with no C library. */
#ifndef BENCH_LINUX_H
#define BENCH_LINUX_H

#include <stddef.h>
#include <stdint.h>

/* Numbers and constants: Linux, include/uapi/asm-generic/unistd.h and socket.h. */
#define AF_INET 2
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOL_SOCKET 1
#define SO_REUSEADDR 2
#define SO_RCVTIMEO 20
#define IPPROTO_TCP 6
#define TCP_NODELAY 1
#define SHUT_WR 1
#define SIGCHLD 17

typedef long ssize_t;
typedef unsigned socklen_t;

struct in_addr {
    uint32_t s_addr;
};

struct sockaddr {
    uint16_t sa_family;
    char sa_data[14];
};

struct sockaddr_in {
    uint16_t sin_family;
    uint16_t sin_port;
    struct in_addr sin_addr;
    uint8_t sin_zero[8];
};

struct timeval {
    long tv_sec, tv_usec;
};

static inline long call(long n, long a, long b, long c, long d, long e, long f)
{
    register long a7 __asm__("a7") = n, a0 __asm__("a0") = a, a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c, a3 __asm__("a3") = d, a4 __asm__("a4") = e;
    register long a5 __asm__("a5") = f;
    __asm__ volatile("ecall"
                     : "+r"(a0)
                     : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7)
                     : "memory");
    return a0;
}

#define CALL(n, a, b, c, d, e, f)                                                                  \
    call(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static inline int close(int fd) { return (int)CALL(57, fd, 0, 0, 0, 0, 0); }
static inline ssize_t read(int fd, void *p, size_t n) { return CALL(63, fd, p, n, 0, 0, 0); }
static inline ssize_t write(int fd, const void *p, size_t n) { return CALL(64, fd, p, n, 0, 0, 0); }
static inline int socket(int f, int t, int p) { return (int)CALL(198, f, t, p, 0, 0, 0); }
static inline int listen(int fd, int n) { return (int)CALL(201, fd, n, 0, 0, 0, 0); }
static inline int shutdown(int fd, int how) { return (int)CALL(210, fd, how, 0, 0, 0, 0); }
static inline int fork(void) { return (int)CALL(220, SIGCHLD, 0, 0, 0, 0, 0); }

static inline int bind(int fd, const struct sockaddr *a, socklen_t n)
{
    return (int)CALL(200, fd, a, n, 0, 0, 0);
}

static inline int accept(int fd, struct sockaddr *a, socklen_t *n)
{
    return (int)CALL(202, fd, a, n, 0, 0, 0);
}

static inline int connect(int fd, const struct sockaddr *a, socklen_t n)
{
    return (int)CALL(203, fd, a, n, 0, 0, 0);
}

static inline ssize_t sendto(int fd, const void *p, size_t n, int flags, const struct sockaddr *a,
                             socklen_t len)
{
    return CALL(206, fd, p, n, flags, a, len);
}

static inline ssize_t recvfrom(int fd, void *p, size_t n, int flags, struct sockaddr *a,
                               socklen_t *len)
{
    return CALL(207, fd, p, n, flags, a, len);
}

static inline int setsockopt(int fd, int level, int option, const void *p, socklen_t n)
{
    return (int)CALL(208, fd, level, option, p, n, 0);
}

static inline _Noreturn void _exit(int code)
{
    for (;;)
        CALL(94, code, 0, 0, 0, 0, 0);
}

/* What the compiler calls by itself. */
void *memset(void *p, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);

void *memset(void *p, int c, size_t n)
{
    for (uint8_t *b = p; n--; b++)
        *b = (uint8_t)c;
    return p;
}

void *memcpy(void *to, const void *from, size_t n)
{
    uint8_t *a = to;
    for (const uint8_t *b = from; n--;)
        *a++ = *b++;
    return to;
}

/* The stack at the start: argc, argv..., NULL (RISC-V ELF psABI, process initialization). */
__asm__(".globl _start\n_start: mv a0, sp\n andi sp, sp, -16\n call start\n");
int main(int argc, char **argv);
_Noreturn void start(long *stack);

_Noreturn void start(long *stack)
{
    _exit(main((int)stack[0], (char **)(stack + 1)));
}

#endif
