/* Digests: what must be the same for two runs to be the same, in 64 digits. */
#include "topo/digest.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdio.h>

#include "topo/uplinks/uplinks.h"

#define PIECE (1u << 20)

static gnutls_hash_hd_t begin(void)
{
    gnutls_hash_hd_t h;

    if (gnutls_hash_init(&h, GNUTLS_DIG_SHA256) != 0)
        abort(); /* the library has it in every configuration */
    return h;
}

static void end(gnutls_hash_hd_t h, char text[DIGEST_TEXT])
{
    uint8_t sum[32];

    gnutls_hash_deinit(h, sum);
    for (size_t i = 0; i < sizeof(sum); i++)
        snprintf(text + 2 * i, 3, "%02x", sum[i]);
}

/* --- files --- */

static bool file_add(gnutls_hash_hd_t h, FILE *f)
{
    uint8_t *piece = xmalloc(PIECE);
    size_t n;

    while ((n = fread(piece, 1, PIECE, f)) > 0)
        gnutls_hash(h, piece, n);
    free(piece);
    return !ferror(f);
}

bool digest_file(const char *path, char text[DIGEST_TEXT], const char **problem)
{
    FILE *f = NULL;
    bool good;

    if (!topo_readable(path, false, problem))
        return false;
    f = fopen(path, "rbe");
    if (!f) {
        *problem = strerror(errno);
        return false;
    }
    setvbuf(f, NULL, _IONBF, 0);
    gnutls_hash_hd_t h = begin();
    good = file_add(h, f);
    end(h, text);
    fclose(f);
    if (!good)
        *problem = "it cannot be read";
    return good;
}

/* --- descriptions --- */

/* Each part with its length, so that no two descriptions are the same text. */
static void add(gnutls_hash_hd_t h, const void *p, size_t len)
{
    uint8_t le[8];

    store_le64(le, len);
    gnutls_hash(h, le, sizeof(le));
    if (len)
        gnutls_hash(h, p, len);
}

static void add_number(gnutls_hash_hd_t h, uint64_t n)
{
    uint8_t le[8];

    store_le64(le, n);
    add(h, le, sizeof(le));
}

static void add_text(gnutls_hash_hd_t h, const char *s)
{
    add_number(h, s != NULL);
    add(h, s, s ? strlen(s) : 0);
}

static void add_name(gnutls_hash_hd_t h, const struct topo_object *o)
{
    add_text(h, o ? schemas[o->kind]->name : NULL);
    add_text(h, o ? o->name : NULL);
}

bool digest_is_secret(const struct attr *a)
{
    return strncmp(a->name, "secret", 6) == 0;
}

/* Files are compared by what is in them, wherever they are. */
static bool is_left_out(const struct attr *a, const char *value)
{
    return a->type == ATTR_FILE || a->type == ATTR_FOLDER || digest_is_secret(a) ||
           (strcmp(a->name, "bios") == 0 && value && strcmp(value, "none") != 0);
}

static void add_attr(gnutls_hash_hd_t h, const struct topo_object *o, const struct attr *a)
{
    const void *field = (const char *)o + a->offset;
    const topo_strings *list = field;
    const struct topo_guest *guest = NULL;

    add_text(h, a->name);
    switch (a->type) {
    case ATTR_STRING:
    case ATTR_FD:
    case ATTR_PATTERN:
    case ATTR_FILE:
    case ATTR_FOLDER:
        if (is_left_out(a, *(const char *const *)field))
            add_number(h, *(const char *const *)field != NULL);
        else
            add_text(h, *(const char *const *)field);
        break;
    case ATTR_BOOL: add_number(h, *(const bool *)field); break;
    case ATTR_CHOICE: add_number(h, (uint64_t)(*(const int *)field)); break;
    case ATTR_FACTOR:
    case ATTR_INT:
    case ATTR_TIME:
    case ATTR_RATE:
    case ATTR_SIZE: add_number(h, *(const uint64_t *)field); break;
    case ATTR_MAC: add(h, field, ETH_ALEN); break;
    case ATTR_GUEST:
        guest = *(struct topo_guest *const *)field;
        add_name(h, guest ? &guest->object : NULL);
        break;
    case ATTR_LIST:
        add_number(h, list->n);
        for (size_t i = 0; i < list->n; i++)
            add_text(h, list->items[i]);
    }
}

/* What an object belongs to. */
static void add_place(gnutls_hash_hd_t h, const struct topo_object *o)
{
    const struct topo_vlan *v = NULL;
    const struct topo_guest *g = NULL;
    const topo_objects *points = NULL;

    if (o->kind == TOPO_NIC) {
        v = ((const struct topo_nic *)o)->vlan;
        g = ((const struct topo_nic *)o)->guest;
    } else if (o->kind == TOPO_DISK) {
        g = ((const struct topo_disk *)o)->guest;
    } else if (o->kind == TOPO_CAPTURE) {
        points = &((const struct topo_capture *)o)->points;
    } else if (topo_is_uplink(o)) {
        v = ((const struct topo_uplink *)o)->vlan;
    }
    add_name(h, v ? &v->object : NULL);
    add_name(h, g ? &g->object : NULL);
    for (size_t i = 0; points && i < points->n; i++)
        add_name(h, points->items[i]);
}

void digest_topo(const struct topo *t, char text[DIGEST_TEXT])
{
    gnutls_hash_hd_t h = begin();

    add_number(h, (uint64_t)t->limit);
    for (size_t i = 0; i < t->objects.n; i++) {
        const struct topo_object *o = t->objects.items[i];
        add_name(h, o);
        add_place(h, o);
        for (size_t a = 0; a < schemas[o->kind]->n_attrs; a++)
            add_attr(h, o, &schemas[o->kind]->attrs[a]);
    }
    for (size_t i = 0; i < t->tests.n; i++)
        add_text(h, t->tests.items[i].name);
    end(h, text);
}
