/* Results as JUnit XML, which CI systems read. */
#include <errno.h>

#include "topo/run.h"

/* Characters that XML 1.0 does not allow (section 2.2) become '?'. */
static void put_escaped(FILE *f, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '&')
            fputs("&amp;", f);
        else if (c == '<')
            fputs("&lt;", f);
        else if (c == '>')
            fputs("&gt;", f);
        else if (c == '"')
            fputs("&quot;", f);
        else if (c == '\n')
            fputs("&#10;", f);
        else if (c < ' ' && c != '\t' && c != '\r')
            fputc('?', f);
        else if (c < 0x80)
            fputc(c, f);
        else
            fprintf(f, "&#%u;", c); /* bytes of a console need not be UTF-8 */
    }
}

static void put_case(FILE *f, const struct run *r, size_t i)
{
    const struct topo_test *t = &r->topo->tests.items[i];
    const struct test_result *res = &r->tests.results[i];
    fputs("  <testcase classname=\"", f);
    put_escaped(f, r->topo->title);
    fputs("\" name=\"", f);
    put_escaped(f, t->name);
    fputs("\" file=\"", f);
    put_escaped(f, t->place.file);
    fprintf(f, "\" line=\"%d\" time=\"%.6f\"", t->place.line, (double)res->duration / 1e9);
    if (res->passed) {
        fputs("/>\n", f);
        return;
    }
    fputs(">\n    <failure message=\"", f);
    put_escaped(f, res->message);
    fputs("\"/>\n  </testcase>\n", f);
}

bool junit_write(const struct run *r, const char *path, struct err *err)
{
    FILE *f = fopen(path, "w");
    if (f) {
        fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"", f);
        put_escaped(f, r->topo->title);
        fprintf(f, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" time=\"%.6f\">\n",
                r->topo->tests.n, tests_failed(&r->tests), (double)r->network.sim.now / 1e9);
        for (size_t i = 0; i < r->topo->tests.n; i++)
            put_case(f, r, i);
        fputs("</testsuite>\n", f);
    }
    bool good = f && !ferror(f);
    if (f && fclose(f) != 0)
        good = false;
    if (!good)
        err_add(err, "--junit %s: it cannot be written: %s", path, strerror(errno));
    return good;
}
