/*
 * Reads the flattened device tree in place, walking it anew for each question: it is
 * asked a few dozen times, at the start.
 *
 *     FDT_BEGIN_NODE(1) name\0 pad     FDT_PROP(3) len nameoff value pad
 *     FDT_END_NODE(2)                  FDT_NOP(4)                FDT_END(9)
 *
 * Every number is big-endian, every token starts at a multiple of four.
 */
#include "base/dtb.h"

#include <string.h>

enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4, END = 9, DEPTH = 16 };

static const uint8_t *blob, *structure, *strings;
static size_t blob_len;
static int structure_len;

static uint32_t be32(const void *p)
{
    const uint8_t *b = p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

bool dtb_init(const void *tree)
{
    if (!tree || be32(tree) != 0xd00dfeed)
        return false;
    blob = tree;
    blob_len = be32(blob + 4);
    structure = blob + be32(blob + 8);
    strings = blob + be32(blob + 12);
    structure_len = (int)be32(blob + 36);
    return true;
}

const void *dtb_address(void)
{
    return blob;
}

size_t dtb_size(void)
{
    return blob_len;
}

/* The offset behind the token at `at`; its kind is stored. */
static int token_next(int at, uint32_t *kind)
{
    size_t len;

    if (!blob || at + 4 > structure_len) {
        *kind = END;
        return structure_len;
    }
    *kind = be32(structure + at);
    at += 4;
    if (*kind == BEGIN_NODE)
        len = strlen((const char *)structure + at) + 1;
    else if (*kind == PROP)
        len = 8 + be32(structure + at);
    else
        len = 0;
    if (len > (size_t)(structure_len - at)) {
        *kind = END;
        return structure_len;
    }
    return at + (int)((len + 3) & ~(size_t)3);
}

/* The next BEGIN_NODE at or behind `at`. */
static int node_from(int at)
{
    uint32_t kind;

    for (;;) {
        int next = token_next(at, &kind);
        if (kind == BEGIN_NODE)
            return at;
        if (kind == END)
            return -1;
        at = next;
    }
}

int dtb_first(void)
{
    return node_from(0);
}

int dtb_next(int node)
{
    uint32_t kind;

    return node_from(token_next(node, &kind));
}

int dtb_find(const char *name)
{
    for (int n = dtb_first(); n >= 0; n = dtb_next(n))
        if (strcmp((const char *)structure + n + 4, name) == 0)
            return n;
    return -1;
}

const void *dtb_property(int node, const char *name, size_t *len)
{
    uint32_t kind;
    int at = token_next(node, &kind), next;

    for (;; at = next) {
        next = token_next(at, &kind);
        if (kind != PROP && kind != NOP)
            return NULL;
        if (kind == PROP && strcmp((const char *)strings + be32(structure + at + 8), name) == 0) {
            *len = be32(structure + at + 4);
            return structure + at + 12;
        }
    }
}

uint32_t dtb_cell(int node, const char *name, unsigned index, uint32_t otherwise)
{
    size_t len;
    const uint8_t *value = dtb_property(node, name, &len);

    return value && len / 4 > index ? be32(value + 4 * index) : otherwise;
}

bool dtb_string_is(int node, const char *name, const char *value)
{
    size_t len;
    const char *s = dtb_property(node, name, &len);

    return s && len == strlen(value) + 1 && memcmp(s, value, len) == 0;
}

static bool is_compatible(int node, const char *compatible)
{
    size_t len, want = strlen(compatible) + 1;
    const char *s = dtb_property(node, "compatible", &len);

    while (s && len >= want) {
        size_t n = strlen(s) + 1;

        if (n == want && memcmp(s, compatible, n) == 0)
            return true;
        if (n >= len)
            break;
        s += n;
        len -= n;
    }
    return false;
}

int dtb_compatible(int node, const char *compatible)
{
    size_t len;

    for (node = node < 0 ? dtb_first() : dtb_next(node); node >= 0; node = dtb_next(node)) {
        if (!is_compatible(node, compatible))
            continue;
        if (!dtb_property(node, "status", &len) || dtb_string_is(node, "status", "okay") ||
            dtb_string_is(node, "status", "ok"))
            return node;
    }
    return -1;
}

int dtb_phandle(uint32_t phandle)
{
    for (int n = dtb_first(); n >= 0; n = dtb_next(n))
        if (dtb_cell(n, "phandle", 0, 0) == phandle)
            return n;
    return -1;
}

/* The node's parent, or the node itself for the root. */
static int node_parent(int node)
{
    int stack[DEPTH];
    int depth = 0, at = 0, next;
    uint32_t kind;

    for (; at <= node; at = next) {
        next = token_next(at, &kind);
        if (kind == END)
            break;
        if (kind == BEGIN_NODE) {
            if (at == node)
                return depth > 0 && depth <= DEPTH ? stack[depth - 1] : node;
            if (depth < DEPTH)
                stack[depth] = at;
            depth++;
        } else if (kind == END_NODE) {
            depth--;
        }
    }
    return node;
}

static uint64_t cells_value(const uint8_t *at, uint32_t cells)
{
    uint64_t value = 0;

    while (cells-- > 0) {
        value = value << 32 | be32(at);
        at += 4;
    }
    return value;
}

bool dtb_reg(int node, unsigned index, uint64_t *address, uint64_t *size)
{
    int parent = node_parent(node);
    uint32_t acells = dtb_cell(parent, "#address-cells", 0, 2);
    uint32_t scells = dtb_cell(parent, "#size-cells", 0, 1);
    size_t len, entry = 4 * ((size_t)acells + scells);
    const uint8_t *reg = dtb_property(node, "reg", &len);

    if (!reg || acells > 4 || scells > 4 || len < entry * (index + 1))
        return false;
    reg += entry * index;
    *address = cells_value(reg, acells);
    *size = cells_value(reg + 4 * acells, scells);
    return true;
}

/* An ISA address is a kind (1: ports) and a number; the bus's ranges say where ports begin, with a
   parent address of two cells (IEEE 1275's ISA bus binding). */
bool dtb_isa_ports(int node, uint64_t *address)
{
    int bus = node_parent(node);
    size_t len;
    const uint8_t *ranges = dtb_property(bus, "ranges", &len);

    if (!is_compatible(bus, "isa") || !ranges || len < 20 || dtb_cell(node, "reg", 0, 0) != 1)
        return false;
    *address = cells_value(ranges + 8, 2) + dtb_cell(node, "reg", 1, 0) - be32(ranges + 4);
    return true;
}

uint32_t dtb_interrupt(int node)
{
    uint32_t irq = dtb_cell(node, "interrupts", 0, 0);

    /* interrupts-extended names the controller first; the PLIC's has one cell. */
    return irq ? irq : dtb_cell(node, "interrupts-extended", 1, 0);
}
