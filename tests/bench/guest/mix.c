/* An integer mix: linked lists, matrices, a state machine over text, CRC; a unit is one round. */
#include "bench.h"

/* --- lists: find, reverse, merge-sort --- */

#define NODES 64

struct node {
    struct node *next;
    int16_t value, index;
};

static struct node nodes[NODES];

static struct node *list_make(uint64_t seed)
{
    for (int i = 0; i < NODES; i++) {
        nodes[i].next = i + 1 < NODES ? &nodes[i + 1] : 0;
        nodes[i].value = (int16_t)(xorshift(&seed) & 0x7fff);
        nodes[i].index = (int16_t)i;
    }
    return nodes;
}

static struct node *list_reverse(struct node *l)
{
    struct node *r = 0;
    while (l) {
        struct node *next = l->next;
        l->next = r;
        r = l;
        l = next;
    }
    return r;
}

static const struct node *list_find(const struct node *l, int16_t value)
{
    while (l && l->value != value)
        l = l->next;
    return l;
}

static int by_value(const struct node *a, const struct node *b)
{
    return a->value - b->value;
}

static int by_index(const struct node *a, const struct node *b)
{
    return a->index - b->index;
}

static struct node *list_merge(struct node *a, struct node *b,
                               int (*compare)(const struct node *, const struct node *))
{
    struct node head, *end = &head;
    while (a && b) {
        struct node **from = compare(a, b) <= 0 ? &a : &b;
        end->next = *from;
        end = *from;
        *from = end->next;
    }
    end->next = a ? a : b;
    return head.next;
}

static struct node *list_sort(struct node *l, int n,
                              int (*compare)(const struct node *, const struct node *))
{
    if (n < 2) {
        if (l)
            l->next = 0;
        return l;
    }
    struct node *half = l;
    for (int i = 0; i < n / 2; i++)
        half = half->next;
    struct node *b = list_sort(half, n - n / 2, compare);
    return list_merge(list_sort(l, n / 2, compare), b, compare);
}

/* --- matrices --- */

#define SIDE 12

static int16_t ma[SIDE][SIDE], mb[SIDE][SIDE];
static int32_t mc[SIDE][SIDE];

static int32_t matrices(int16_t add)
{
    int32_t sum = 0;
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            ma[i][j] = (int16_t)(i * j + add);
            mb[i][j] = (int16_t)(i - j + add);
        }
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            mc[i][j] = 0;
            for (int k = 0; k < SIDE; k++)
                mc[i][j] += ma[i][k] * mb[k][j];
            sum += mc[i][j] >> 3;
        }
    return sum;
}

/* --- a state machine that sorts words into kinds of numbers --- */

enum state { START, INT, POINT, FRACTION, EXPONENT, SIGN, POWER, BAD, STATES };

static const char text[] = "5012,-874,+122,35.54400,.1234500,-110.700,+0.64400,5.500e+3,-.123e-2,"
                           "-87e+832,+0.6e-12,T0.3e-1F,-T.T++Tq,1T3.4e4z,34.0e-T^,";

static enum state next_state(enum state s, char c)
{
    int digit = c >= '0' && c <= '9';
    switch (s) {
    case START: return digit ? INT : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : BAD;
    case SIGN: return digit ? INT : c == '.' ? POINT : BAD;
    case INT: return digit ? INT : c == '.' ? POINT : BAD;
    case POINT:
    case FRACTION: return digit ? FRACTION : c == 'e' || c == 'E' ? EXPONENT : BAD;
    case EXPONENT: return digit || c == '+' || c == '-' ? POWER : BAD;
    case POWER: return digit ? POWER : BAD;
    default: return BAD;
    }
}

static uint32_t states(uint32_t seed)
{
    uint32_t counts[STATES] = {0}, sum = seed;
    enum state s = START;
    for (const char *p = text; *p; p++) {
        if (*p == ',') {
            counts[s]++;
            s = START;
        } else {
            s = next_state(s, *p);
        }
    }
    for (int i = 0; i < STATES; i++)
        sum = sum * 31 + counts[i];
    return sum;
}

/* --- CRC-16 by bits --- */

static uint16_t crc16(uint16_t crc, uint32_t v, int bits)
{
    for (int i = 0; i < bits; i++, v >>= 1) {
        int carry = (crc ^ v) & 1;
        crc >>= 1;
        if (carry)
            crc ^= 0xa001;
    }
    return crc;
}

uint64_t bench(uint64_t units)
{
    uint16_t crc = 0;
    for (uint64_t u = 0; u < units; u++) {
        struct node *l = list_make(u + 1);
        for (int i = 0; i < 8; i++) {
            const struct node *n = list_find(l, nodes[(u + (unsigned)i * 7) % NODES].value);
            l = list_reverse(l);
            crc = crc16(crc, (uint32_t)n->index, 16);
        }
        l = list_sort(l, NODES, by_value);
        crc = crc16(crc, (uint32_t)l->value, 16);
        l = list_sort(l, NODES, by_index);
        crc = crc16(crc, (uint32_t)l->value, 16);
        for (int16_t i = 0; i < 2; i++)
            crc = crc16(crc, (uint32_t)matrices((int16_t)(u + (unsigned)i)), 32);
        for (uint32_t i = 0; i < 4; i++)
            crc = crc16(crc, states(i), 32);
    }
    return crc;
}
