/* A guest's instructions, one line each, in a file. */
#include <errno.h>

#include "guests/machine.h"
#include "topo/run.h"

static const char *file_of(const struct run *r)
{
    const char *equals = strchr(r->o->trace, '=');
    return equals ? equals + 1 : "";
}

/* The guest before the '='; NULL: there is none. */
static struct topo_guest *guest_of(const struct run *r)
{
    const char *what = r->o->trace;
    char *name = xstrndup(what, strcspn(what, "="));
    struct topo_object *o = strmap_get(&r->topo->names, name);
    free(name);
    return o && o->kind == TOPO_GUEST ? (struct topo_guest *)o : NULL;
}

void trace_check(const struct run *r, struct err *err)
{
    const char *what = r->o->trace;
    if (what && !file_of(r)[0])
        err_add(err, "--trace %s: it is not GUEST=FILE", what);
    else if (what && !guest_of(r))
        err_add(err, "--trace %s: %s has no guest \"%.*s\"", what, r->topo->title,
                (int)strcspn(what, "="), what);
}

bool trace_open(struct run *r)
{
    if (!r->o->trace)
        return true;
    r->trace = fopen(file_of(r), "w");
    if (!r->trace) {
        err_add(&r->err, "--trace: %s cannot be written: %s", file_of(r), strerror(errno));
        return false;
    }
    machine_trace(guest_of(r)->machine, r->trace);
    return true;
}

void trace_close(struct run *r)
{
    if (!r->trace)
        return;
    bool bad = ferror(r->trace);
    if (fclose(r->trace) != 0 || bad)
        err_add(&r->err, "--trace %s: it could not be written in full: %s", r->o->trace, strerror(errno));
    r->trace = NULL;
}
