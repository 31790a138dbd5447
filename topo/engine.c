/* How guests are executed: the engine that was asked for, and names for what it translates. */
#include <errno.h>

#include "guests/translate/symbols.h"
#include "guests/translate/translate.h"
#include "topo/run.h"

bool engine_check(const char *where, const char *name, struct err *err)
{
    enum engine e;
    if (translate_engine_named(name, &e))
        return true;
    err_add(err, "%s %s: there are translator, interpreter and eager", where, name);
    return false;
}

/* The option, or the environment. */
static bool choose(const struct run_options *o, struct err *err)
{
    const char *env = getenv("LANARIUM_ENGINE"), *name = o->engine;
    enum engine e;
    if (!name && (!env || !*env))
        return true;
    if (!name && !engine_check("LANARIUM_ENGINE", env, err))
        return false;
    if (translate_engine_named(name ? name : env, &e))
        translate_choose(e);
    return true;
}

static bool perf_map(const struct run_options *o, struct err *err)
{
    if (!o->perf_map && !o->symbols)
        return true;
    if (o->symbols && !symbols_read(o->symbols, err))
        return false;
    if (translate_perf_map())
        return true;
    err_add(err, "--perf-map: the file in /tmp cannot be made: %s", strerror(errno));
    return false;
}

bool engine_set_up(const struct run_options *o, struct err *err)
{
    return choose(o, err) && perf_map(o, err);
}

void engine_finish(void)
{
    symbols_forget();
}
