/* What can be wrong with a TAP interface's options before anything is opened. */
#include <ctype.h>
#include <net/if.h>

#include "devices/uplinks/tap_open.h"
#include "devices/uplinks/tap_script.h"

static bool ifname_check(const struct tap_options *o, struct err *err)
{
    const char *n = o->ifname, *percent;
    bool good = n && n[0] && strcmp(n, ".") != 0 && strcmp(n, "..") != 0;

    if (!n)
        return true;
    for (const char *c = n; *c; c++)
        good &= isgraph((unsigned char)*c) && *c != '/' && *c != ':';
    percent = strchr(n, '%');
    good &= !percent || strcmp(percent, "%d") == 0;
    if (!good)
        err_at(err, o->file, o->line, "ifname \"%s\" cannot be an interface's name", n);
    else if (strlen(n) >= IFNAMSIZ)
        err_at(err, o->file, o->line, "ifname \"%s\" is too long: at most %d characters", n,
               IFNAMSIZ - 1);
    else
        return true;
    return false;
}

bool tap_options_check(const struct tap_options *o, struct err *err)
{
    size_t before = err->n;

    ifname_check(o, err);
    if (o->address && !tap_address_valid(o->address))
        err_at(err, o->file, o->line,
               "address \"%s\" is not an address with a prefix's length, such as 10.9.0.1/24",
               o->address);
    if (o->script)
        tap_program_check("script", o->script, o, err);
    if (o->downscript)
        tap_program_check("downscript", o->downscript, o, err);
    if (o->helper)
        tap_program_check("helper", o->helper, o, err);
    return err->n == before;
}
