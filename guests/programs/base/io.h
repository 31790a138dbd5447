/* Device registers and memory barriers (RISC-V Unprivileged manual, FENCE). */
#ifndef PROGRAMS_BASE_IO_H
#define PROGRAMS_BASE_IO_H

#include <stdint.h>

static inline uint8_t io_read8(uintptr_t at)
{
    return *(volatile uint8_t *)at;
}

static inline uint16_t io_read16(uintptr_t at)
{
    return *(volatile uint16_t *)at;
}

static inline uint32_t io_read32(uintptr_t at)
{
    return *(volatile uint32_t *)at;
}

static inline uint64_t io_read64(uintptr_t at)
{
    return *(volatile uint64_t *)at;
}

static inline void io_write8(uintptr_t at, uint8_t value)
{
    *(volatile uint8_t *)at = value;
}

static inline void io_write16(uintptr_t at, uint16_t value)
{
    *(volatile uint16_t *)at = value;
}

static inline void io_write32(uintptr_t at, uint32_t value)
{
    *(volatile uint32_t *)at = value;
}

static inline void io_write64(uintptr_t at, uint64_t value)
{
    *(volatile uint64_t *)at = value;
}

/* Order everything before, in memory and in registers, against everything after. */
static inline void io_fence(void)
{
    __asm__ volatile("fence iorw, iorw" ::: "memory");
}

/* Order memory against memory that a device also reads and writes. */
static inline void memory_fence(void)
{
    __asm__ volatile("fence rw, rw" ::: "memory");
}

#endif
