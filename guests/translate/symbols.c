/* Symbols of guests, by which perf's user finds translated code. */
#include "guests/translate/symbols.h"

#include <ctype.h>
#include <errno.h>

#define SYMBOLS_MAX (1u << 20) /* a list; a kernel has a tenth of it */
#define COMPARED 32u           /* bytes of code that say whether it is an image's */

struct symbol {
    uint64_t addr;
    uint32_t order; /* in the list; functions come first */
    char *name;
};

/* Sorted by address, each address once; alive until symbols_forget. */
struct table {
    struct table *next;
    struct blob *image; /* NULL: the addresses are virtual, and the last one is the end */
    uint64_t base;
    struct symbols list;
};

static struct table *tables;
static bool wanted;

void symbols_want(void)
{
    wanted = true;
}

bool symbols_wanted(void)
{
    return wanted;
}

void symbols_add(struct symbols *s, uint64_t addr, bool function, const char *name)
{
    char *text;

    if (!*name || *name == '$' || strncmp(name, ".L", 2) == 0 || s->n >= SYMBOLS_MAX)
        return;
    text = xstrdup(name);
    for (char *p = text; *p; p++)
        if (!isgraph((unsigned char)*p))
            *p = '_'; /* it goes into lines of words */
    array_reserve(s->items, &s->cap, s->n + 1);
    s->items[s->n] = (struct symbol){addr, s->n + (function ? 0 : SYMBOLS_MAX), text};
    s->n++;
}

static int compare(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;

    if (x->addr != y->addr)
        return x->addr < y->addr ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static void keep(const struct symbols *s, struct blob *image, uint64_t base)
{
    struct table *t = xmalloc(sizeof(*t));
    uint32_t n = 0;

    *t = (struct table){tables, image ? blob_ref(image) : NULL, base, *s};
    qsort(s->items, s->n, sizeof(s->items[0]), compare);
    for (uint32_t i = 0; i < s->n; i++) {
        if (n && s->items[n - 1].addr == s->items[i].addr)
            free(s->items[i].name);
        else
            s->items[n++] = s->items[i];
    }
    t->list.n = n;
    tables = t;
}

static void drop(struct symbols *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        free(s->items[i].name);
    free(s->items);
}

void symbols_of_image(struct symbols *s, struct blob *image, uint64_t base)
{
    const struct table *t = tables;

    while (t && (t->image != image || t->base != base))
        t = t->next;
    if (t || !s->n)
        drop(s);
    else
        keep(s, image, base);
}

void symbols_forget(void)
{
    struct table *next;

    for (struct table *t = tables; t; t = next) {
        next = t->next;
        blob_put(t->image);
        drop(&t->list);
        free(t);
    }
    tables = NULL;
}

/* A line; NULL, or what is wrong with it. */
static const char *line_take(struct symbols *s, char *line)
{
    char *end, *name, type;
    uint64_t addr;

    errno = 0;
    addr = strtoull(line, &end, 16);
    if (isspace((unsigned char)line[0]) || !line[0])
        return NULL; /* nm: it has no address */
    if (end == line || errno || end[0] != ' ' || !isalpha((unsigned char)end[1]) || end[2] != ' ')
        return "it is not ADDRESS TYPE NAME, as in System.map or from nm";
    type = end[1];
    name = end + 3;
    name[strcspn(name, " \t\r\n")] = '\0';
    if (!strchr("aAuUnN", type))
        symbols_add(s, addr, strchr("tT", type) != NULL, name);
    return NULL;
}

bool symbols_read(const char *path, struct err *err)
{
    struct symbols s = {0};
    FILE *f = fopen(path, "r");
    const char *wrong = f ? NULL : strerror(errno);
    char line[512];
    int n = 0;

    for (; !wrong && fgets(line, sizeof(line), f); n++)
        wrong = line_take(&s, line);
    if (!wrong && !s.n) {
        wrong = ferror(f) ? strerror(errno) : "there are no symbols in it";
        n = 0;
    }
    if (f)
        fclose(f);
    if (wrong) {
        err_at(err, path, n, "%s", wrong);
        drop(&s);
        return false;
    }
    keep(&s, NULL, 0);
    return true;
}

static bool is_of(const struct table *t, uint64_t pa, const uint8_t *code, size_t len)
{
    uint8_t bytes[COMPARED];

    len = MIN(len, COMPARED);
    return pa >= t->base && blob_read(t->image, pa - t->base, bytes, len) &&
           memcmp(bytes, code, len) == 0;
}

static const struct symbol *search(const struct symbols *s, uint64_t addr)
{
    uint32_t low = 0, high = s->n;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (s->items[mid].addr <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low ? &s->items[low - 1] : NULL;
}

const char *symbols_find(uint64_t va, uint64_t pa, const uint8_t *code, size_t len, uint64_t *off)
{
    for (const struct table *t = tables; t; t = t->next) {
        uint64_t addr = t->image ? pa : va;
        const struct symbol *found;

        if (t->image && !is_of(t, pa, code, len))
            continue;
        found = search(&t->list, addr);
        if (!found || (!t->image && found == &t->list.items[t->list.n - 1]))
            continue;
        *off = addr - found->addr;
        return found->name;
    }
    return NULL;
}
