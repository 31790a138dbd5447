/* Gives out the RAM behind the image, and watches the stack. */
#include "base/memory.h"

#include <stdint.h>

#include "base/boot.h"
#include "base/dtb.h"

extern char image_end[];
extern uint64_t stack_bottom[], stack_top[];

/* The RAM behind the image is one range, or two when the device tree lies in it. */
static struct {
    uintptr_t at, end;
} range[2];
static size_t total, taken;

void memory_init(void)
{
    uint64_t base = 0, size = 0;
    uintptr_t start = (uintptr_t)image_end;
    uintptr_t end = start, tree, tree_end;

    for (int n = dtb_first(); n >= 0; n = dtb_next(n)) {
        if (dtb_string_is(n, "device_type", "memory") && dtb_reg(n, 0, &base, &size) &&
            base <= start && start - base <= size) {
            end = base + size;
        }
    }
    if (end == start && size > 0 && base + size < start)
        panic("this program needs %u KiB of RAM", (unsigned)((start - base) / 1024));

    tree = (uintptr_t)dtb_address();
    tree_end = tree + dtb_size();
    range[0].at = start;
    range[0].end = end;
    if (tree < end && tree_end > start) {
        range[0].end = tree > start ? tree : start;
        range[1].at = tree_end;
        range[1].end = end > tree_end ? end : tree_end;
    }
    total = (range[0].end - range[0].at) + (range[1].end - range[1].at);
}

void *memory_take(size_t len, size_t align)
{
    for (int i = 0; i < 2; i++) {
        uintptr_t at = (range[i].at + align - 1) & ~(uintptr_t)(align - 1);
        uint64_t *word = (uint64_t *)at;

        if (at < range[i].at || at > range[i].end || range[i].end - at < len)
            continue;
        /* As with .bss: what is zero is not written, so that it can stay shared. */
        for (size_t j = 0; j < len / 8; j++)
            if (word[j] != 0)
                word[j] = 0;
        for (size_t j = len & ~(size_t)7; j < len; j++)
            ((char *)at)[j] = 0;
        taken += at + len - range[i].at;
        range[i].at = at + len;
        return (void *)at;
    }
    return NULL;
}

size_t memory_taken(void)
{
    return taken;
}

size_t memory_total(void)
{
    return total;
}

size_t stack_size(void)
{
    return (size_t)((char *)stack_top - (char *)stack_bottom);
}

/* The stack began as zeros, so its deepest word that is not zero was once in use. */
size_t stack_used(void)
{
    uint64_t *word = stack_bottom;

    while (word < stack_top && *word == 0)
        word++;
    return (size_t)((char *)stack_top - (char *)word);
}

void stack_check(void)
{
    if (stack_bottom[0] != 0 || stack_bottom[1] != 0)
        panic("the stack overflowed");
}
