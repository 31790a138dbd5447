/* The description of a network: making objects, naming them, tearing it down. */
#include "topo/topo.h"

#include <ctype.h>
#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "topo/schema.h"
#include "topo/uplinks/uplinks.h"

void topo_init(struct topo *t, const char *title)
{
    *t = (struct topo){.seed = 1, .limit = VTIME_NEVER, .epoch_ns = TOPO_DEFAULT_EPOCH};
    t->title = topo_intern(t, title);
}

static void object_free(struct topo_object *o)
{
    const struct schema *sc = schemas[o->kind];

    if (o->kind == TOPO_GUEST) {
        free(((struct topo_guest *)o)->nics.items);
        free(((struct topo_guest *)o)->disks.items);
    } else if (o->kind == TOPO_CAPTURE) {
        free(((struct topo_capture *)o)->points.items);
    }
    for (size_t i = 0; i < sc->n_attrs; i++)
        if (sc->attrs[i].type == ATTR_LIST)
            free(((topo_strings *)((char *)o + sc->attrs[i].offset))->items);
    free(o);
}

void topo_finish(struct topo *t)
{
    for (size_t i = 0; i < t->objects.n; i++)
        object_free(t->objects.items[i]);
    for (size_t i = 0; i < t->sources.n; i++)
        free(t->sources.items[i].text);
    for (size_t i = 0; i < t->strings.cap; i++)
        free(t->strings.values[i]);
    free(t->objects.items);
    free(t->vlans.items);
    free(t->guests.items);
    free(t->uplinks.items);
    free(t->patches.items);
    free(t->captures.items);
    free(t->tests.items);
    free(t->sources.items);
    strmap_finish(&t->names);
    strmap_finish(&t->missing);
    strmap_finish(&t->strings);
    err_finish(&t->err);
    *t = (struct topo){0};
}

const char *topo_intern(struct topo *t, const char *s)
{
    if (!s)
        return NULL;
    char *known = strmap_get(&t->strings, s);
    if (!known) {
        known = xstrdup(s);
        strmap_put(&t->strings, known, known);
    }
    return known;
}

const char *topo_place_text(struct place p, char *buf, size_t size)
{
    if (p.file && p.line)
        snprintf(buf, size, "%s:%d", p.file, p.line);
    else
        snprintf(buf, size, "%s", p.file ? p.file : "the prompt");
    return buf;
}

const char *topo_label(const struct topo_object *o, char *buf, size_t size)
{
    snprintf(buf, size, "%s%s%s", schemas[o->kind]->name, o->name ? " " : "",
             o->name ? o->name : "");
    return buf;
}

/* Names become parts of file names, Lua globals and "h1.eth0": letters, digits, - and _. */
static bool name_is_good(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > TOPO_MAX_NAME || !isalnum((unsigned char)name[0]))
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("-_", *name))
            return false;
    return true;
}

static void name_claim(struct topo *t, struct topo_object *o)
{
    if (!name_is_good(o->name)) {
        err_at(&t->err, o->place.file, o->place.line,
               "%s: \"%.80s\" cannot be a name: use letters, digits, '-' and '_', at most %d, "
               "and begin with a letter or a digit",
               schemas[o->kind]->name, o->name, TOPO_MAX_NAME);
        return;
    }
    struct topo_object *other = strmap_get(&t->names, o->name);
    if (!other) {
        strmap_put(&t->names, o->name, o);
        return;
    }
    char where[512];
    err_at(&t->err, o->place.file, o->place.line, "%s %s: the name is taken by the %s of %s",
           schemas[o->kind]->name, o->name, schemas[other->kind]->name,
           topo_place_text(other->place, where, sizeof(where)));
}

struct topo_object *topo_add(struct topo *t, enum topo_kind kind, const char *name,
                             struct place place)
{
    struct topo_object *o = xcalloc(1, schemas[kind]->size);
    o->kind = kind;
    o->name = topo_intern(t, name);
    o->place = (struct place){topo_intern(t, place.file), place.line};
    schema_preset(t, o);
    list_push(&t->objects, o);
    if (kind == TOPO_VLAN)
        list_push(&t->vlans, o);
    else if (kind == TOPO_GUEST)
        list_push(&t->guests, o);
    else if (kind == TOPO_CAPTURE)
        list_push(&t->captures, o);
    else if (kind == TOPO_PATCH)
        list_push(&t->patches, o);
    else if (topo_is_uplink(o))
        list_push(&t->uplinks, o);
    if (kind == TOPO_VLAN || kind == TOPO_GUEST || kind == TOPO_PATCH || topo_is_uplink(o))
        name_claim(t, o);
    return o;
}

static void object_drop(topo_objects *l, const struct topo_object *o)
{
    size_t left = 0;
    for (size_t i = 0; i < l->n; i++)
        if (l->items[i] != o)
            l->items[left++] = l->items[i];
    l->n = left;
}

void topo_remove(struct topo *t, struct topo_object *o)
{
    o->removed = true;
    object_drop(o->kind == TOPO_CAPTURE ? &t->captures : &t->uplinks, o);
    if (topo_is_uplink(o) && strmap_get(&t->names, o->name) == o)
        strmap_put(&t->names, o->name, NULL);
    if (topo_is_uplink(o) && ((struct topo_uplink *)o)->vlan)
        ((struct topo_uplink *)o)->vlan->n_members--;
}

void topo_guest_take(struct topo *t, struct topo_guest *g, struct topo_object *part)
{
    if (part->kind == TOPO_DISK) {
        ((struct topo_disk *)part)->guest = g;
        list_push(&g->disks, part);
        return;
    }
    struct topo_nic *n = (struct topo_nic *)part;
    if (!part->name) {
        char name[16];
        snprintf(name, sizeof(name), "eth%zu", g->nics.n);
        part->name = topo_intern(t, name);
    }
    n->guest = g;
    list_push(&g->nics, part);
}

void topo_nic_join(struct topo_nic *n, struct topo_vlan *v)
{
    n->vlan = v;
    v->n_members++;
}

bool topo_readable(const char *path, bool folder, const char **problem)
{
    struct stat st;
    *problem = NULL;
    if (stat(path, &st) != 0)
        *problem = errno == ENOENT ? (folder ? "there is no such folder" : "there is no such file")
                                   : strerror(errno);
    else if (S_ISDIR(st.st_mode) != folder)
        *problem = folder ? "it is not a folder" : "it is a folder, not a file";
    else if (!folder && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        *problem = "it is not a regular file";
    else if (access(path, R_OK) != 0)
        *problem = "it cannot be read (permission denied)";
    return !*problem;
}

const char *topo_path(struct topo *t, struct place place, const char *path)
{
    const char *slash = place.file && place.line ? strrchr(place.file, '/') : NULL;
    if (path[0] == '/' || !slash)
        return topo_intern(t, path);
    char *full = xasprintf("%.*s/%s", (int)(slash - place.file), place.file, path);
    const char *known = topo_intern(t, full);
    free(full);
    return known;
}

bool topo_date(const char *text, int64_t *ns)
{
    static const char *const formats[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
                                          "%Y-%m-%dT%H:%M:%SZ"};
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct tm tm = {0};
        const char *end = strptime(text, formats[i], &tm);
        if (!end || *end)
            continue;
        time_t seconds = timegm(&tm);
        if (seconds < 0 || seconds > 9000000000LL) /* ns of later ones do not fit */
            return false;
        *ns = seconds * NS_PER_SEC;
        return true;
    }
    return false;
}

#define ERRORS_PER_LINE 8

/* A sentence with where it belongs: sentences are shown in the order of the text. */
struct sentence {
    char *place; /* "FILE:LINE"; the whole sentence if it names none */
    size_t file; /* length of FILE; 0: none */
    int line;
    size_t index; /* in the order of being found */
    const char *text;
};

static struct sentence sentence_of(const char *text, size_t index)
{
    for (const char *p = strchr(text, ':'); p; p = strchr(p + 1, ':')) {
        size_t digits = strspn(p + 1, "0123456789"), file = (size_t)(p - text);
        if (digits && p[1 + digits] == ':')
            return (struct sentence){xstrndup(text, file + 1 + digits), file, atoi(p + 1), index,
                                     text};
    }
    return (struct sentence){xstrdup(text), 0, 0, index, text};
}

static int sentences_compare(const void *a, const void *b)
{
    const struct sentence *x = a, *y = b;
    bool same_file = x->file == y->file && memcmp(x->place, y->place, x->file) == 0;
    if (same_file && x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* All sentences, sorted if they are all about one file. */
static struct sentence *sentences_sorted(const struct err *e)
{
    struct sentence *all = xcalloc(e->n + 1, sizeof(*all));
    bool one_file = true;
    for (size_t i = 0; i < e->n; i++) {
        all[i] = sentence_of(e->texts[i], i);
        one_file &=
            all[i].file == all[0].file && memcmp(all[i].place, all[0].place, all[0].file) == 0;
    }
    if (one_file && e->n)
        qsort(all, e->n, sizeof(*all), sentences_compare);
    return all;
}

void topo_print_errors(const struct topo *t)
{
    struct err few = {0};
    struct sentence *all = sentences_sorted(&t->err);
    size_t n = t->err.n;
    for (size_t i = 0, run = 0; i < n; i++) {
        run = i && strcmp(all[i].place, all[i - 1].place) == 0 ? run + 1 : 1;
        bool last = i + 1 == n || strcmp(all[i].place, all[i + 1].place) != 0;
        if (run <= ERRORS_PER_LINE)
            err_add(&few, "%s", all[i].text);
        else if (last)
            err_add(&few, "%s: and %zu more like that", all[i].place, run - ERRORS_PER_LINE);
    }
    err_print(&few, stderr);
    err_finish(&few);
    for (size_t i = 0; i < n; i++)
        free(all[i].place);
    free(all);
}

char *topo_take_errors(struct topo *t)
{
    char *text = NULL;
    for (size_t i = 0; i < t->err.n; i++) {
        char *longer = text ? xasprintf("%s\n%s", text, t->err.texts[i]) : xstrdup(t->err.texts[i]);
        free(text);
        text = longer;
    }
    err_finish(&t->err);
    return text;
}
