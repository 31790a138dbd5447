/* The bus: regions sorted by base, found by binary search, the last one that answered first. */
#include <assert.h>

#include "devices/bus.h"

static bool valid_size(unsigned size)
{
    return size == 1 || size == 2 || size == 4 || size == 8;
}

void bus_attach(struct bus *b, struct device *dev)
{
    struct region *r = &dev->region;
    unsigned i = b->n;

    assert(b->n < BUS_MAX_REGIONS);
    assert(r->size > 0 && r->base + (r->size - 1) >= r->base);
    assert(valid_size(r->min_size) && valid_size(r->max_size) && r->min_size <= r->max_size);

    for (; i > 0 && b->regions[i - 1]->base > r->base; i--) {
        b->regions[i] = b->regions[i - 1];
        b->devices[i] = b->devices[i - 1];
    }
    assert(i == 0 || r->base - b->regions[i - 1]->base >= b->regions[i - 1]->size);
    assert(i == b->n || b->regions[i + 1]->base - r->base >= r->size);
    b->regions[i] = r;
    b->devices[i] = dev;
    b->n++;
    b->last = i;
}

static bool inside(const struct region *r, uint64_t addr)
{
    return addr - r->base < r->size; /* below base wraps to a large number */
}

/* The region at addr, in b->last; false: there is none. */
static bool find(struct bus *b, uint64_t addr)
{
    unsigned lo = 0, hi = b->n;

    if (b->n && inside(b->regions[b->last], addr))
        return true;
    while (lo < hi) { /* the first region that starts above addr */
        unsigned mid = (lo + hi) / 2;

        if (b->regions[mid]->base <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == 0 || !inside(b->regions[lo - 1], addr))
        return false;
    b->last = lo - 1;
    return true;
}

/* Whether the region takes such an access: size, alignment, and its end inside. */
static bool accepts(const struct region *r, uint64_t addr, unsigned size)
{
    return valid_size(size) && size >= r->min_size && size <= r->max_size &&
           (addr & (size - 1)) == 0 && r->size - (addr - r->base) >= size;
}

bool bus_read(struct bus *b, uint64_t addr, unsigned size, uint64_t *value)
{
    struct region *r;

    if (!find(b, addr))
        return false;
    r = b->regions[b->last];
    if (!accepts(r, addr, size))
        return false;
    *value = r->read ? r->read(b->devices[b->last], addr - r->base, size) : 0;
    if (size < 8)
        *value &= (1ULL << 8 * size) - 1;
    return true;
}

bool bus_write(struct bus *b, uint64_t addr, unsigned size, uint64_t value)
{
    struct region *r;

    if (!find(b, addr))
        return false;
    r = b->regions[b->last];
    if (!accepts(r, addr, size))
        return false;
    if (size < 8)
        value &= (1ULL << 8 * size) - 1;
    if (r->write)
        r->write(b->devices[b->last], addr - r->base, value, size);
    return true;
}
