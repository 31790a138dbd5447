/* Images: names for kernels and firmware, looked up beside the program and in the cache. */
#include "topo/images.h"

#include <unistd.h>

#include "sim/units.h"
#include "topo/schema.h"

#ifndef PKGDATADIR
#define PKGDATADIR "/usr/local/share/lanarium"
#endif
#ifndef PKGLIBEXECDIR
#define PKGLIBEXECDIR "/usr/local/libexec/lanarium"
#endif
#ifndef SRCDIR
#define SRCDIR "."
#endif

const struct image images[] = {
    {"host", "a network host of a few kilobytes: DHCP, ping, HTTP, TCP and UDP", "host.elf", NULL,
     NULL, "hostname=%s", "1M", "%s> ", NULL, NULL, NULL},
    {"router", "the same with a DHCP server and forwarding between its NICs", "router.elf", NULL,
     NULL, "hostname=%s", "1M", "%s> ", NULL, NULL, NULL},
    {"debian", "Debian's kernel with busybox", "debian/Image", "debian/initrd", "debian/cmdline",
     "hostname=%s", "128M", "%s# ", "lan.clone", "ready to be cloned", "debian"},
    {"debian-net", "the same with sshd, iperf3, ethtool and an SMB client", "debian-net/Image",
     "debian-net/initrd", "debian-net/cmdline", "hostname=%s", "128M", "%s# ", "lan.clone",
     "ready to be cloned", "debian-net"},
    {"small", "Linux built from source, with busybox and the drivers of old cards", "small/Image",
     "small/initrd", "small/cmdline", "hostname=%s", "64M", "%s# ", NULL, NULL, "small"},
    {"u-boot", "U-Boot in S-mode", "u-boot/qemu-riscv64_smode/u-boot.bin", NULL, NULL, NULL, "128M",
     "=> ", NULL, NULL, "u-boot"},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

/* Firmware for bios=; "none" is the machine's own word. */
static const struct firmware {
    const char *name, *file, *prompt, *fetch;
} firmware[] = {
    {"opensbi", "opensbi/fw_dynamic.bin", NULL, "opensbi"},
    {"u-boot", "u-boot/qemu-riscv64/u-boot.bin", "=> ", "u-boot"},
};

/* Where Debian's own packages put what the cache does not have. */
static const struct {
    const char *file, *path;
} packaged[] = {
    {"opensbi/fw_dynamic.bin", "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin"},
    {"u-boot/qemu-riscv64/u-boot.bin", "/usr/lib/u-boot/qemu-riscv64/u-boot.bin"},
    {"u-boot/qemu-riscv64_smode/u-boot.bin", "/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin"},
};

const struct image *image_find(const char *name)
{
    for (const struct image *i = images; i->name; i++)
        if (strcmp(i->name, name) == 0)
            return i;
    return NULL;
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

char *image_cache(void)
{
    const char *dir = environment("LANARIUM_CACHE");
    if (dir)
        return xstrdup(dir);
    dir = environment("XDG_CACHE_HOME");
    if (dir)
        return xasprintf("%s/lanarium", dir);
    dir = environment("HOME");
    return xasprintf("%s/.cache/lanarium", dir ? dir : "");
}

char *program_folder(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (n <= 0)
        return xstrdup(".");
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    *(slash == path ? slash + 1 : slash) = '\0';
    return xstrdup(path);
}

/* The first of several paths that is there; frees the others. The last is the answer if none is. */
static char *first_readable(char **paths, size_t n)
{
    const char *problem;
    size_t found = n - 1;
    for (size_t i = n; i-- > 0;)
        if (paths[i] && topo_readable(paths[i], false, &problem))
            found = i;
    for (size_t i = 0; i < n; i++)
        if (i != found)
            free(paths[i]);
    return paths[found];
}

char *program_script(const char *in_tree, const char *installed)
{
    char *here = program_folder();
    char *paths[] = {
        xasprintf("%s/%s", here, in_tree), xasprintf("%s/../libexec/lanarium/%s", here, installed),
        xasprintf("%s/%s", SRCDIR, in_tree), xasprintf("%s/%s", PKGLIBEXECDIR, installed)};
    free(here);
    return first_readable(paths, ARRAY_LEN(paths));
}

/* A file that comes with Lanarium: $LANARIUM_DATA, the build tree, the installation. */
static char *shipped_file(const char *name)
{
    const char *data = environment("LANARIUM_DATA");
    char *here = program_folder();
    char *paths[] = {data ? xasprintf("%s/%s", data, name) : NULL,
                     xasprintf("%s/guests/programs/%s", here, name),
                     xasprintf("%s/../share/lanarium/images/%s", here, name),
                     xasprintf("%s/images/%s", PKGDATADIR, name)};
    free(here);
    return first_readable(paths, ARRAY_LEN(paths));
}

static char *cached_file(const char *name)
{
    char *cache = image_cache();
    char *paths[] = {NULL, NULL};
    for (size_t i = 0; i < ARRAY_LEN(packaged); i++)
        if (strcmp(packaged[i].file, name) == 0)
            paths[0] = xstrdup(packaged[i].path);
    paths[1] = xasprintf("%s/%s", cache, name);
    const char *problem;
    if (paths[0] && topo_readable(paths[1], false, &problem)) {
        free(paths[0]); /* what was fetched on purpose comes first */
        paths[0] = NULL;
    }
    free(cache);
    return first_readable(paths, ARRAY_LEN(paths));
}

/* Sets *to to the file's path; a sentence that says how to get it if it is not there. */
static bool image_file(struct topo *t, const struct topo_guest *g, const char *what,
                       const char *name, const char *fetch, const char **to)
{
    char *path = fetch ? cached_file(name) : shipped_file(name);
    const char *problem;
    bool good = topo_readable(path, false, &problem);
    *to = topo_intern(t, path);
    free(path);
    if (good)
        return true;
    const struct place *p = &g->object.place;
    if (strmap_get(&t->missing, *to)) /* a thousand guests lack the same file: once is enough */
        return false;
    strmap_put(&t->missing, *to, t);
    if (fetch)
        err_at(&t->err, p->file, p->line,
               "guest %s: %s needs %s, and %s; 'lanarium image %s' makes it", g->object.name, what,
               *to, problem, fetch);
    else
        err_at(&t->err, p->file, p->line,
               "guest %s: %s needs %s, and %s; it is built with Lanarium ('make') or found in "
               "$LANARIUM_DATA",
               g->object.name, what, *to, problem);
    return false;
}

/* Replaces the "%s" in a text of the table by the guest's name. */
static char *with_name(const char *text, const char *name)
{
    const char *hole = strstr(text, "%s");
    return hole ? xasprintf("%.*s%s%s", (int)(hole - text), text, name, hole + 2) : xstrdup(text);
}

/* The first line of an image's file of options; "" if there is none. On the heap. */
static char *cmdline_read(const struct image *image)
{
    char *path = image->cmdline ? cached_file(image->cmdline) : NULL;
    char line[2048] = "";
    FILE *f = path ? fopen(path, "r") : NULL;
    if (f && fgets(line, sizeof(line), f))
        line[strcspn(line, "\r\n")] = '\0';
    if (f)
        fclose(f);
    free(path);
    return xstrdup(line);
}

/* What makes an image that knows how to be cloned get ready for it; "" if nothing does. */
static const char *clone_option(const struct topo_guest *g, const struct image *image, char *buf,
                                size_t size)
{
    buf[0] = '\0';
    if (g->n_clones && !g->clone && image->clone)
        snprintf(buf, size, " %s%s", image->clone, g->clone_waits ? "=wait" : "");
    return buf;
}

/* The image's own command line, the guest's name, and what the topology appends. */
static void append_resolve(struct topo *t, struct topo_guest *g, const struct image *image)
{
    char *line = cmdline_read(image);
    char *own = with_name(image->append ? image->append : "", g->object.name);
    char clone[64];
    char *all = xasprintf("%s%s%s%s%s%s", line, *line && *own ? " " : "", own,
                          clone_option(g, image, clone, sizeof(clone)),
                          g->append && (*line || *own) ? " " : "", g->append ? g->append : "");
    if (*all)
        g->append = topo_intern(t, all);
    free(line);
    free(own);
    free(all);
}

static bool image_apply(struct topo *t, struct topo_guest *g, const struct image *image)
{
    char *what = xasprintf("image \"%s\"", image->name);
    bool good = true;
    if (!g->kernel)
        good = image_file(t, g, what, image->kernel, image->fetch, &g->kernel);
    if (good && !g->initrd && image->initrd)
        good = image_file(t, g, what, image->initrd, image->fetch, &g->initrd);
    free(what);
    append_resolve(t, g, image);
    if (!schema_given(&g->object, "memory"))
        units_size(image->memory, &g->memory);
    if (!g->prompt) {
        char *prompt = with_name(image->prompt, g->object.name);
        g->prompt = topo_intern(t, prompt);
        free(prompt);
    }
    return good;
}

static bool image_unknown(struct topo *t, const struct topo_guest *g)
{
    const struct place *p = &g->object.place;
    const char *near =
        nearest_name(g->image, &images[0].name, ARRAY_LEN(images) - 1, sizeof(images[0]));
    if (near)
        err_at(&t->err, p->file, p->line,
               "guest %s: there is no image \"%s\"; did you mean \"%s\"?", g->object.name, g->image,
               near);
    else
        err_at(&t->err, p->file, p->line,
               "guest %s: there is no image \"%s\"; for a file of your own, say kernel = \"FILE\"",
               g->object.name, g->image);
    return false;
}

static bool bios_resolve(struct topo *t, struct topo_guest *g)
{
    if (!g->bios || strcmp(g->bios, "none") == 0)
        return true;
    const struct place *p = &g->object.place;
    const char *problem, *path;
    for (size_t i = 0; i < ARRAY_LEN(firmware); i++) {
        const struct firmware *f = &firmware[i];
        if (strcmp(g->bios, f->name) != 0)
            continue;
        char *what = xasprintf("bios \"%s\"", f->name);
        if (!g->prompt && f->prompt && !g->kernel)
            g->prompt = topo_intern(t, f->prompt);
        bool good = image_file(t, g, what, f->file, f->fetch, &g->bios);
        free(what);
        return good;
    }
    path = topo_path(t, *p, g->bios);
    if (!topo_readable(path, false, &problem)) {
        err_at(&t->err, p->file, p->line,
               "guest %s: bios \"%s\": %s; the names are \"none\", \"opensbi\" and \"u-boot\"",
               g->object.name, path, problem);
        return false;
    }
    g->bios = path;
    return true;
}

bool image_resolve(struct topo *t, struct topo_guest *g)
{
    bool good = true;
    if (!g->image && !schema_given(&g->object, "kernel") && !g->bios)
        g->image = topo_intern(t, "host");
    if (g->image) {
        const struct image *image = image_find(g->image);
        good = image ? image_apply(t, g, image) : image_unknown(t, g);
    }
    if (!g->memory)
        g->memory = 128ULL << 20;
    return bios_resolve(t, g) && good;
}
