/* SBI calls: base, timer, IPIs, remote fences, reset, debug console, and the legacy ones. */
#include "guests/board.h"
#include "guests/sbi.h"

#define TABLE(name, rows) const struct sbi_table name = {rows, ARRAY_LEN(rows)}

/* --- base (chapter 4) --- */

#define EXT_BASE 0x10
#define SPEC_VERSION (2u << 24)
#define IMPL_ID 0x4c414e /* "LAN"; the list of the specification has no number for us */
#define IMPL_VERSION 1

#define CSR_MVENDORID 0xf11
#define CSR_MARCHID 0xf12
#define CSR_MIMPID 0xf13

static int64_t base_spec_version(struct sbi_call *c)
{
    c->value = SPEC_VERSION;
    return SBI_SUCCESS;
}

static int64_t base_impl_id(struct sbi_call *c)
{
    c->value = IMPL_ID;
    return SBI_SUCCESS;
}

static int64_t base_impl_version(struct sbi_call *c)
{
    c->value = IMPL_VERSION;
    return SBI_SUCCESS;
}

static int64_t base_probe(struct sbi_call *c)
{
    c->value = sbi_has((uint32_t)c->arg[0]);
    return SBI_SUCCESS;
}

static int64_t base_mvendorid(struct sbi_call *c)
{
    hart_csr_peek(c->hart, CSR_MVENDORID, &c->value);
    return SBI_SUCCESS;
}

static int64_t base_marchid(struct sbi_call *c)
{
    hart_csr_peek(c->hart, CSR_MARCHID, &c->value);
    return SBI_SUCCESS;
}

static int64_t base_mimpid(struct sbi_call *c)
{
    hart_csr_peek(c->hart, CSR_MIMPID, &c->value);
    return SBI_SUCCESS;
}

static const struct sbi_row base_rows[] = {
    {EXT_BASE, 0, base_spec_version}, {EXT_BASE, 1, base_impl_id}, {EXT_BASE, 2, base_impl_version},
    {EXT_BASE, 3, base_probe},        {EXT_BASE, 4, base_mvendorid}, {EXT_BASE, 5, base_marchid},
    {EXT_BASE, 6, base_mimpid},
};
TABLE(sbi_base, base_rows);

/* --- timer (chapter 6) --- */

#define EXT_TIME 0x54494d45

void sbi_set_timer(struct hart *h, uint64_t ticks)
{
    h->stimecmp = ticks;
    machine_stimecmp_changed(h);
}

static int64_t time_set(struct sbi_call *c)
{
    sbi_set_timer(c->hart, c->arg[0]);
    return SBI_SUCCESS;
}

static const struct sbi_row time_rows[] = {
    {EXT_TIME, 0, time_set},
};
TABLE(sbi_time, time_rows);

/* --- IPIs (chapter 7) and remote fences (chapter 8) --- */

#define EXT_IPI 0x735049
#define EXT_RFENCE 0x52464e43

void sbi_ipi(struct hart *target)
{
    hart_set_pending(target, IRQ_SSI, true);
}

/* Forgetting everything is allowed where less was asked for; the harts take turns, so it is
   complete when the call returns. */
void sbi_fence(struct hart *target)
{
    hart_flush(target);
}

static int64_t ipi_send(struct sbi_call *c)
{
    return sbi_each_hart(c, c->arg[0], c->arg[1], sbi_ipi);
}

static int64_t fence_remote(struct sbi_call *c)
{
    return sbi_each_hart(c, c->arg[0], c->arg[1], sbi_fence);
}

/* Functions 3 to 6 are for harts with the hypervisor extension; without it the answer is
   SBI_ERR_NOT_SUPPORTED (8.4 to 8.7), as for any that is not here. */
static const struct sbi_row remote_rows[] = {
    {EXT_IPI, 0, ipi_send},
    {EXT_RFENCE, 0, fence_remote}, /* fence.i */
    {EXT_RFENCE, 1, fence_remote}, /* sfence.vma */
    {EXT_RFENCE, 2, fence_remote}, /* sfence.vma with an ASID */
};
TABLE(sbi_remote, remote_rows);

/* --- system reset (chapter 10) --- */

#define EXT_SRST 0x53525354

enum { RESET_SHUTDOWN, RESET_COLD, RESET_WARM };
enum { REASON_NONE, REASON_FAILURE };

static int64_t system_reset(struct sbi_call *c)
{
    uint32_t type = (uint32_t)c->arg[0], reason = (uint32_t)c->arg[1];

    if (type > RESET_WARM || reason > REASON_FAILURE)
        return SBI_ERR_INVALID_PARAM;
    if (type != RESET_SHUTDOWN)
        machine_power(&c->machine->denv, POWER_RESET, 0);
    else
        machine_power(&c->machine->denv, reason == REASON_NONE ? POWER_OFF : POWER_FAIL, reason);
    /* It does not return: the hart sleeps until the machine has done it. */
    c->hart->wfi = true;
    return SBI_SUCCESS;
}

/* --- debug console (chapter 12) --- */

#define EXT_DBCN 0x4442434e

/* The memory of a call: base in arg[1] and arg[2] (high half: none, RAM ends below 2^64). */
static bool console_range(struct sbi_call *c, uint64_t *len)
{
    if (c->arg[2] != 0 || !ram_contains(&c->machine->ram, c->arg[1], c->arg[0]))
        return false;
    *len = MIN(c->arg[0], SBI_CONSOLE_MAX);
    return true;
}

static int64_t console_write_bytes(struct sbi_call *c)
{
    uint8_t buf[SBI_CONSOLE_MAX];
    uint64_t len;

    if (!console_range(c, &len))
        return SBI_ERR_INVALID_PARAM;
    ram_read(&c->machine->ram, c->arg[1], buf, len);
    console_write(c->machine->consoles[0], buf, len);
    c->value = len;
    return SBI_SUCCESS;
}

static int64_t console_read_bytes(struct sbi_call *c)
{
    uint8_t buf[SBI_CONSOLE_MAX];
    uint64_t len;

    if (!console_range(c, &len))
        return SBI_ERR_INVALID_PARAM;
    len = c->machine->board->console_read(c->machine, buf, len);
    ram_write(&c->machine->ram, c->arg[1], buf, len);
    c->value = len;
    return SBI_SUCCESS;
}

static int64_t console_write_byte(struct sbi_call *c)
{
    uint8_t byte = (uint8_t)c->arg[0];

    console_write(c->machine->consoles[0], &byte, 1);
    return SBI_SUCCESS;
}

static const struct sbi_row system_rows[] = {
    {EXT_SRST, 0, system_reset},
    {EXT_DBCN, 0, console_write_bytes},
    {EXT_DBCN, 1, console_read_bytes},
    {EXT_DBCN, 2, console_write_byte},
};
TABLE(sbi_system, system_rows);

/* --- legacy (chapter 5) --- */

static int64_t legacy_putchar(struct sbi_call *c)
{
    return console_write_byte(c);
}

static int64_t legacy_getchar(struct sbi_call *c)
{
    uint8_t byte;

    return c->machine->board->console_read(c->machine, &byte, 1) == 1 ? byte : -1;
}

static int64_t legacy_clear_ipi(struct sbi_call *c)
{
    hart_set_pending(c->hart, IRQ_SSI, false);
    return SBI_SUCCESS;
}

/* The mask lies in the caller's memory, at a virtual address; 0 means all harts. A pointer
   that is not memory is answered with an error: this firmware does not trap into its caller. */
static int64_t legacy_each(struct sbi_call *c, void (*fn)(struct hart *target))
{
    uint64_t pa, mask = 0;
    uint8_t bytes[8];

    if (c->arg[0] == 0)
        return sbi_each_hart(c, 0, UINT64_MAX, fn);
    for (unsigned i = 0; i < sizeof(bytes); i++)
        if (!hart_translate(c->hart, c->arg[0] + i, &pa) ||
            !ram_read(&c->machine->ram, pa, &bytes[i], 1))
            return SBI_ERR_INVALID_ADDRESS;
    mask = load_le64(bytes);
    return sbi_each_hart(c, mask, 0, fn);
}

static int64_t legacy_send_ipi(struct sbi_call *c)
{
    return legacy_each(c, sbi_ipi);
}

static int64_t legacy_fence(struct sbi_call *c)
{
    return legacy_each(c, sbi_fence);
}

static int64_t legacy_shutdown(struct sbi_call *c)
{
    machine_power(&c->machine->denv, POWER_OFF, 0);
    c->hart->wfi = true;
    return SBI_SUCCESS;
}

static const struct sbi_row legacy_rows[] = {
    {0, 0, time_set},
    {1, 0, legacy_putchar},
    {2, 0, legacy_getchar},
    {3, 0, legacy_clear_ipi},
    {4, 0, legacy_send_ipi},
    {5, 0, legacy_fence}, /* remote fence.i */
    {6, 0, legacy_fence}, /* remote sfence.vma */
    {7, 0, legacy_fence}, /* remote sfence.vma with an ASID */
    {8, 0, legacy_shutdown},
};
TABLE(sbi_legacy, legacy_rows);
