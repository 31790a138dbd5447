/* What lwIP wants to know about the compiler and the platform. */
#ifndef PROGRAMS_NET_ARCH_CC_H
#define PROGRAMS_NET_ARCH_CC_H

#include <stdint.h>

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_LIMITS_H 1
#define LWIP_NO_CTYPE_H 1
#define LWIP_NO_UNISTD_H 1
#define LWIP_PROVIDE_ERRNO 1
#define INT_MAX __INT_MAX__
#define SSIZE_MAX __LONG_MAX__
#define X8_F "02x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "zu"
typedef long ssize_t;

#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(x) lwip_assert_failed(x)
#define LWIP_RAND() random_u32()
#define LWIP_CHKSUM checksum_sum

void lwip_assert_failed(const char *what) __attribute__((noreturn));
uint32_t random_u32(void);
uint16_t checksum_sum(const void *data, int len);

#endif
