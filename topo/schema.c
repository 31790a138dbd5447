/* Schemas: finding attributes and reading their values from text. */
#include "topo/schema.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>

#include "sim/units.h"

/* Where a value is being set, for its sentences. */
struct setting {
    struct topo *t;
    struct topo_object *o;
    const struct attr *a;
    struct place place;
    const char *text;
};

static void setting_error(const struct setting *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void setting_error(const struct setting *s, const char *fmt, ...)
{
    char label[128], text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    err_at(&s->t->err, s->place.file, s->place.line, "%s: %s",
           topo_label(s->o, label, sizeof(label)), text);
}

/* Levenshtein's distance, for words shorter than 32. */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[33];
    size_t na = strlen(a), nb = strlen(b);
    if (na > 32 || nb > 32)
        return UINT_MAX;
    for (unsigned j = 0; j <= nb; j++)
        row[j] = j;
    for (unsigned i = 1; i <= na; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= nb; j++) {
            unsigned above = row[j];
            unsigned best = MIN(above, row[j - 1]) + 1;
            row[j] = MIN(best, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[nb];
}

const char *nearest_name(const char *word, const void *first, size_t n, size_t stride)
{
    unsigned best = (unsigned)strlen(word) / 2 * 2 + 2;
    const char *found = NULL;
    for (size_t i = 0; i < n; i++) {
        const char *name = *(const char *const *)((const char *)first + i * stride);
        /* Equally near: one with the same beginning, then the first by name. */
        unsigned d = edit_distance(word, name);
        if (d > 16)
            continue;
        d = 2 * d + (name[0] != word[0]);
        if (d < best || (d == best && found && strcmp(name, found) < 0)) {
            best = d;
            found = name;
        }
    }
    return found;
}

const struct schema *schema_find(const char *name)
{
    for (size_t i = 0; i < TOPO_KINDS; i++)
        if (strcmp(schemas[i]->name, name) == 0)
            return schemas[i];
    return NULL;
}

const struct attr *schema_attr(const struct schema *s, const char *name)
{
    for (size_t i = 0; i < s->n_attrs; i++)
        if (strcmp(s->attrs[i].name, name) == 0)
            return &s->attrs[i];
    return NULL;
}

const char *attr_type_text(enum attr_type type)
{
    static const char *const texts[] = {
        [ATTR_STRING] = "a string",
        [ATTR_FILE] = "a file's path",
        [ATTR_FOLDER] = "a folder's path",
        [ATTR_BOOL] = "true or false",
        [ATTR_INT] = "a whole number",
        [ATTR_TIME] = "a time such as \"20us\" (ns, us, ms, s, min, h)",
        [ATTR_RATE] = "a rate such as \"1Gbit\" (bit, Kbit, Mbit, Gbit, or \"unlimited\")",
        [ATTR_SIZE] = "a size such as \"64M\" (B, K, M, G)",
        [ATTR_FACTOR] = "a factor such as 2 or \"0.5\", or \"max\"",
        [ATTR_MAC] = "an address such as \"52:54:00:12:34:56\"",
        [ATTR_CHOICE] = "one of its names",
        [ATTR_LIST] = "a string or a list of strings",
        [ATTR_GUEST] = "a guest",
        [ATTR_FD] = "a descriptor's number or name",
        [ATTR_PATTERN] = "a Lua pattern",
    };
    return texts[type];
}

static bool set_string(const struct setting *s, void *field)
{
    *(const char **)field = topo_intern(s->t, s->text);
    return true;
}

static bool set_path(const struct setting *s, void *field)
{
    const char *path = topo_path(s->t, s->place, s->text), *problem;
    if (!topo_readable(path, s->a->type == ATTR_FOLDER, &problem)) {
        setting_error(s, "%s \"%s\": %s", s->a->name, path, problem);
        return false;
    }
    *(const char **)field = path;
    return true;
}

static bool set_bool(const struct setting *s, void *field)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true}, {"false", false}, {"on", true},
                 {"off", false}, {"yes", true},    {"no", false}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i].word, s->text) == 0) {
            *(bool *)field = words[i].value;
            return true;
        }
    }
    setting_error(s, "%s = \"%s\" is not true or false", s->a->name, s->text);
    return false;
}

/* Whether people write it in hexadecimal, as its default is. */
static bool is_hex(const struct attr *a)
{
    return a->type == ATTR_INT && a->preset && strncmp(a->preset, "0x", 2) == 0;
}

/* A bound, as a person would write it. */
static const char *bound_text(const struct attr *a, uint64_t value, char *buf, size_t size)
{
    if (a->type == ATTR_TIME)
        return units_format_time((vtime_t)value, buf, size);
    if (a->type == ATTR_SIZE)
        return units_format_size(value, buf, size);
    snprintf(buf, size, is_hex(a) ? "0x%llx%s" : "%llu%s", (unsigned long long)value,
             a->type == ATTR_RATE ? "bit" : "");
    return buf;
}

static bool parse_int(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 0);
    if (!isdigit((unsigned char)text[0]) || *end || errno)
        return false;
    *out = v;
    return true;
}

/* Digits with up to nine behind a point, as billionths. */
static bool parse_factor(const char *text, uint64_t *out)
{
    size_t whole = strspn(text, "0123456789"), part = 0;
    uint64_t v = 0;
    if (strcmp(text, "max") == 0) {
        *out = 0;
        return true;
    }
    if (text[whole] == '.')
        part = strspn(text + whole + 1, "0123456789");
    if (whole < 1 || whole > 9 || part > 9 || text[whole + (part ? part + 1 : 0)])
        return false;
    for (size_t i = 0; i < whole + 9; i++) {
        size_t at = i < whole ? i : i + 1;
        v = v * 10 + (i < whole + part ? (uint64_t)(text[at] - '0') : 0);
    }
    *out = v;
    return v > 0;
}

static bool set_number(const struct setting *s, void *field)
{
    uint64_t value = 0;
    vtime_t time = 0;
    bool good = false;
    switch (s->a->type) {
    case ATTR_TIME:
        good = units_time(s->text, &time);
        value = (uint64_t)time;
        break;
    case ATTR_RATE: good = strcmp(s->text, "unlimited") == 0 || units_rate(s->text, &value); break;
    case ATTR_SIZE: good = units_size(s->text, &value); break;
    case ATTR_FACTOR: good = parse_factor(s->text, &value); break;
    default: good = parse_int(s->text, &value);
    }
    if (!good) {
        setting_error(s, "%s = \"%s\" is not %s", s->a->name, s->text, attr_type_text(s->a->type));
        return false;
    }
    if (s->a->max && (value < s->a->min || value > s->a->max)) {
        char low[32], high[32], asked[32];
        setting_error(s, "%s = %s is outside %s..%s", s->a->name,
                      is_hex(s->a) ? bound_text(s->a, value, asked, sizeof(asked)) : s->text,
                      bound_text(s->a, s->a->min, low, sizeof(low)),
                      bound_text(s->a, s->a->max, high, sizeof(high)));
        return false;
    }
    *(uint64_t *)field = value;
    return true;
}

static bool set_mac(const struct setting *s, void *field)
{
    unsigned b[ETH_ALEN];
    int used = 0;
    uint8_t any = 0;
    if (sscanf(s->text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
               &used) != 6 ||
        s->text[used]) {
        setting_error(s, "%s = \"%s\" is not %s", s->a->name, s->text, attr_type_text(ATTR_MAC));
        return false;
    }
    for (size_t i = 0; i < ETH_ALEN; i++)
        any |= (uint8_t)b[i];
    if ((b[0] & 1) || !any) {
        setting_error(s, "%s = \"%s\" is not the address of one card (%s)", s->a->name, s->text,
                      any ? "it is a group's: the first byte is odd" : "all zeroes");
        return false;
    }
    for (size_t i = 0; i < ETH_ALEN; i++)
        ((uint8_t *)field)[i] = (uint8_t)b[i];
    return true;
}

static bool set_choice(const struct setting *s, void *field)
{
    size_t n = 0;
    char all[256] = "";
    for (; s->a->choices[n]; n++) {
        if (strcmp(s->a->choices[n], s->text) == 0) {
            *(int *)field = (int)n;
            return true;
        }
        size_t len = strlen(all);
        snprintf(all + len, sizeof(all) - len, "%s\"%s\"", n ? ", " : "", s->a->choices[n]);
    }
    setting_error(s, "%s = \"%s\" is not one of %s", s->a->name, s->text, all);
    return false;
}

static bool set_list(const struct setting *s, void *field)
{
    topo_strings *l = field;
    list_push(l, topo_intern(s->t, s->text));
    return true;
}

static bool set_guest(const struct setting *s, void *field)
{
    struct topo_object *o = strmap_get(&s->t->names, s->text);
    if (!o || o->kind != TOPO_GUEST) {
        setting_error(s, "%s = \"%s\": no guest of that name is declared before it", s->a->name,
                      s->text);
        return false;
    }
    if (o == s->o || !o->described) { /* so that there are no circles */
        setting_error(s, "%s = \"%s\": that guest must be declared, with its table, before it",
                      s->a->name, s->text);
        return false;
    }
    *(struct topo_guest **)field = (struct topo_guest *)o;
    return true;
}

static bool (*const setters[])(const struct setting *s, void *field) = {
    [ATTR_STRING] = set_string, [ATTR_FILE] = set_path,   [ATTR_FOLDER] = set_path,
    [ATTR_BOOL] = set_bool,     [ATTR_INT] = set_number,  [ATTR_TIME] = set_number,
    [ATTR_RATE] = set_number,   [ATTR_SIZE] = set_number, [ATTR_FACTOR] = set_number,
    [ATTR_MAC] = set_mac,       [ATTR_CHOICE] = set_choice, [ATTR_LIST] = set_list,
    [ATTR_GUEST] = set_guest,   [ATTR_PATTERN] = set_string,
    [ATTR_FD] = set_string,
};

static bool attr_set(const struct setting *s)
{
    return setters[s->a->type](s, (char *)s->o + s->a->offset);
}

void schema_preset(struct topo *t, struct topo_object *o)
{
    const struct schema *sc = schemas[o->kind];
    for (size_t i = 0; i < sc->n_attrs; i++) {
        const struct attr *a = &sc->attrs[i];
        if (a->preset && a->preset[0] != '(')
            attr_set(&(struct setting){t, o, a, o->place, a->preset});
    }
}

bool schema_set(struct topo *t, struct topo_object *o, const char *name, const char *text,
                struct place place)
{
    const struct schema *sc = schemas[o->kind];
    const struct attr *a = schema_attr(sc, name);
    struct setting s = {t, o, a, place, text};
    if (a) {
        o->given |= 1ULL << (a - sc->attrs);
        return attr_set(&s);
    }
    const char *near = nearest_name(name, &sc->attrs[0].name, sc->n_attrs, sizeof(*sc->attrs));
    if (near)
        setting_error(&s, "there is no attribute \"%s\"; did you mean \"%s\"?", name, near);
    else
        setting_error(&s, "there is no attribute \"%s\" (see: lanarium help %s)", name, sc->name);
    return false;
}

bool schema_given(const struct topo_object *o, const char *name)
{
    const struct schema *sc = schemas[o->kind];
    const struct attr *a = schema_attr(sc, name);
    return a && (o->given >> (a - sc->attrs) & 1);
}
