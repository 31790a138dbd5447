/* Pages come from slabs of 64, so that a guest never costs an mmap; freed ones are reused. */
#include <pthread.h>

#include "guests/code.h"
#include "guests/page.h"

#define SLAB_PAGES 64

/** Headers and bytes together; slabs stay until the process ends, on a list. */
struct slab {
    struct slab *next;
    struct page pages[SLAB_PAGES];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slab *slabs;
static struct page *free_list; /* linked through the first bytes of the data */
static _Atomic size_t alive;

static _Alignas(64) uint8_t zeroes[PAGE_SIZE];

/* Its count stays where it is: it always looks shared, and threads do not fight over it. */
static struct page zero = {.refs = UINT32_MAX / 2, .data = zeroes};

struct page *page_zero(void)
{
    return &zero;
}

static struct page *next_of(const struct page *p)
{
    struct page *next;

    memcpy(&next, p->data, sizeof(next));
    return next;
}

static void push_free(struct page *p)
{
    memcpy(p->data, &free_list, sizeof(free_list));
    free_list = p;
}

static void slab_add(void)
{
    struct slab *s = xcalloc(1, sizeof(*s));
    void *data;

    if (posix_memalign(&data, 64, (size_t)SLAB_PAGES * PAGE_SIZE) != 0)
        abort(); /* memory exhausted, as xmalloc */
    s->next = slabs;
    slabs = s;
    for (unsigned i = SLAB_PAGES; i-- > 0;) {
        s->pages[i].data = (uint8_t *)data + (size_t)i * PAGE_SIZE;
        push_free(&s->pages[i]);
    }
}

struct page *page_new(void)
{
    struct page *p;

    pthread_mutex_lock(&lock);
    if (!free_list)
        slab_add();
    p = free_list;
    free_list = next_of(p);
    pthread_mutex_unlock(&lock);

    atomic_store_explicit(&p->refs, 1, memory_order_relaxed);
    atomic_store_explicit(&p->code, NULL, memory_order_relaxed);
    atomic_fetch_add_explicit(&alive, 1, memory_order_relaxed);
    return p;
}

struct page *page_ref(struct page *p)
{
    if (p != &zero)
        atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void page_drop_code(struct page *p)
{
    code_unref(atomic_exchange_explicit(&p->code, NULL, memory_order_acq_rel));
}

void page_unref(struct page *p)
{
    if (!p || p == &zero || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    page_drop_code(p);
    pthread_mutex_lock(&lock);
    push_free(p);
    pthread_mutex_unlock(&lock);
    atomic_fetch_sub_explicit(&alive, 1, memory_order_relaxed);
}

size_t page_alive(void)
{
    return atomic_load_explicit(&alive, memory_order_relaxed);
}

size_t page_bytes(void)
{
    return page_alive() * (PAGE_SIZE + sizeof(struct page));
}
