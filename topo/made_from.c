/* What a run is made from: gathered, written as the header of a recording, and compared with one.
 */
#include "topo/made_from.h"

#include <stdio.h>
#include <unistd.h>

#include "sim/recording.h"
#include "topo/schema.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define SECRET "secret="
#define NOT_WRITTEN "this-secret-is-not-in-the-recording"

/* --- words --- */

static void word_put(FILE *to, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] > ' ' && s[i] < 0x7f && s[i] != '%')
            fputc(s[i], to);
        else
            fprintf(to, "%%%02X", (uint8_t)s[i]);
}

/* How long the value is that ends at a comma; two of them are one in a value. */
static size_t value_len(const char *s)
{
    size_t n = 0;

    while (s[n] && (s[n] != ',' || s[n + 1] == ','))
        n += s[n] == ',' ? 2 : 1;
    return n;
}

/* A word of the command line, without the secrets in it. */
static void arg_put(FILE *to, const char *word)
{
    const char *at = word, *secret;

    fputs("arg ", to);
    while ((secret = strstr(at, SECRET))) {
        const char *value = secret + strlen(SECRET);
        word_put(to, at, (size_t)(value - at));
        at = value;
        if (secret == word || strchr(",=", secret[-1])) {
            fputs(NOT_WRITTEN, to);
            at += value_len(value);
        }
    }
    word_put(to, at, strlen(at));
    fputc('\n', to);
}

void invocation_keep(struct invocation *v, bool classic, int argc, char **argv)
{
    v->classic = classic;
    for (int i = 0; i < argc; i++)
        list_push(&v->words, xstrdup(argv[i]));
}

void invocation_finish(struct invocation *v)
{
    for (size_t i = 0; i < v->words.n; i++)
        free((char *)v->words.items[i]);
    free(v->words.items);
    *v = (struct invocation){0};
}

/* --- files --- */

struct gathering {
    const struct topo *topo;
    struct strmap known;
    struct made_from *to;
    struct err *err;
};

static void file_gather(struct gathering *g, const char *path, bool script)
{
    struct made_file f = {.script = script};
    const char *problem;

    if (!path || strmap_get(&g->known, path))
        return;
    strmap_put(&g->known, path, g);
    if (!digest_file(path, f.digest, &problem)) {
        err_add(g->err, "%s: %s", path, problem);
        return;
    }
    f.path = xstrdup(path);
    list_push(&g->to->files, f);
}

static void object_gather(struct gathering *g, const struct topo_object *o)
{
    const struct schema *sc = schemas[o->kind];

    for (size_t i = 0; i < sc->n_attrs; i++)
        if (sc->attrs[i].type == ATTR_FILE && !digest_is_secret(&sc->attrs[i]))
            file_gather(g, *(const char *const *)((const char *)o + sc->attrs[i].offset), false);
    if (o->kind == TOPO_DISK)
        file_gather(g, ((const struct topo_disk *)o)->path, false);
    if (o->kind == TOPO_GUEST) {
        const char *bios = ((const struct topo_guest *)o)->bios;
        file_gather(g, bios && strcmp(bios, "none") != 0 ? bios : NULL, false);
    }
}

/* Every file once, scripts first, then by the order of what has them. */
static bool files_gather(struct made_from *m, const struct topo *t, struct err *err)
{
    struct gathering g = {.topo = t, .to = m, .err = err};
    size_t before = err->n;

    for (size_t i = 0; i < t->sources.n; i++)
        file_gather(&g, t->sources.items[i].file, true);
    for (size_t i = 0; i < t->objects.n; i++)
        object_gather(&g, t->objects.items[i]);
    strmap_finish(&g.known);
    return err->n == before;
}

/* --- writing --- */

static void folder_put(FILE *to)
{
    char *folder = getcwd(NULL, 0);

    fputs("folder ", to);
    if (folder)
        word_put(to, folder, strlen(folder));
    fputc('\n', to);
    free(folder);
}

char *made_from_text(const struct topo *t, const struct invocation *v, struct err *err)
{
    struct made_from m = {0};
    char *text = NULL, topology[DIGEST_TEXT];
    size_t size;
    bool good = files_gather(&m, t, err);
    FILE *to = open_memstream(&text, &size);

    if (!to)
        abort();
    fprintf(to, "program " PACKAGE_VERSION "\n");
    folder_put(to);
    fprintf(to, "command %s\n", v->classic ? "classic" : "run");
    for (size_t i = 0; i < v->words.n; i++)
        arg_put(to, v->words.items[i]);
    fprintf(to, "seed %llu\nepoch %lld\n", (unsigned long long)t->seed, (long long)t->epoch_ns);
    for (size_t i = 0; i < m.files.n; i++) {
        const struct made_file *f = &m.files.items[i];
        fprintf(to, "%s %s ", f->script ? "script" : "file", f->digest);
        word_put(to, f->path, strlen(f->path));
        fputc('\n', to);
    }
    digest_topo(t, topology);
    fprintf(to, "topology %s\n", topology);
    fclose(to);
    if (good && size > RECORDING_MAX_HEADER - 2) {
        err_add(err,
                "--record: what the run is made from is longer than a recording's header can be");
        good = false;
    }
    made_from_finish(&m);
    if (good)
        return text;
    free(text);
    return NULL;
}

/* --- comparing --- */

static void say_differs(const char *path, struct err *err)
{
    err_add(err, "%s is not the file that was recorded (its SHA-256 differs)", path);
}

/* Whether a file is what it was, where it was. */
static void file_check(const struct made_from *m, const struct made_file *f, struct err *err)
{
    char now[DIGEST_TEXT];
    const char *problem;

    if (!digest_file(f->path, now, &problem))
        err_add(err, "%s: %s; it was recorded in %s", f->path, problem, m->folder);
    else if (strcmp(now, f->digest) != 0)
        say_differs(f->path, err);
}

bool made_from_scripts_good(const struct made_from *m, struct err *err)
{
    size_t before = err->n;

    for (size_t i = 0; i < m->files.n; i++)
        if (m->files.items[i].script)
            file_check(m, &m->files.items[i], err);
    if (err->n == before)
        return true;
    for (size_t i = 0; i < m->files.n; i++)
        if (!m->files.items[i].script)
            file_check(m, &m->files.items[i], err);
    return false;
}

/* Files are found again by their order: the same images may lie elsewhere. */
static void files_compare(const struct made_from *m, const struct made_from *now, struct err *err)
{
    for (size_t i = 0; i < now->files.n && i < m->files.n; i++)
        if (strcmp(now->files.items[i].digest, m->files.items[i].digest) != 0)
            say_differs(now->files.items[i].path, err);
}

bool made_from_matches(const struct made_from *m, struct topo *t, struct err *err)
{
    struct made_from now = {0};
    size_t before = err->n;
    char topology[DIGEST_TEXT];

    if (files_gather(&now, t, err))
        files_compare(m, &now, err);
    digest_topo(t, topology);
    if (err->n == before && (now.files.n != m->files.n || strcmp(topology, m->topology) != 0))
        err_add(err, "the files are those that were recorded, but the topology is not: see what it "
                     "depends on besides them (the environment, an image's command line)");
    if (err->n == before && t->seed != m->seed)
        err_add(err, "the seed is %llu, and %llu was recorded", (unsigned long long)t->seed,
                (unsigned long long)m->seed);
    t->epoch_ns = m->epoch_ns;
    made_from_finish(&now);
    return err->n == before;
}
