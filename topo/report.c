/* The report: a line for each test as it ends, and a summary that a person wants to read. */
#include "devices/patch.h"
#include "guests/code_stats.h"
#include "guests/machine.h"
#include "guests/translate/translate.h"
#include "sim/host_time.h"
#include "sim/units.h"
#include "sim/vlan.h"
#include "topo/run.h"
#include "topo/uplinks/uplinks.h"
#include "topo/schema.h"

/* "1,234,567" */
static const char *count_text(uint64_t n, char *buf, size_t size)
{
    char digits[32];
    int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
    size_t at = 0;
    for (int i = 0; i < len && at + 2 < size; i++) {
        if (i && (len - i) % 3 == 0)
            buf[at++] = ',';
        buf[at++] = digits[i];
    }
    buf[at] = '\0';
    return buf;
}

/* "12.3 M" of what is counted in thousands */
static const char *short_count(uint64_t n, char *buf, size_t size)
{
    static const char *const units[] = {"", " K", " M", " G", " T", " P"};
    double v = (double)n;
    size_t u = 0;
    for (; v >= 999.95 && u + 1 < ARRAY_LEN(units); u++)
        v /= 1000;
    snprintf(buf, size, "%.*f%s", u ? 1 : 0, v, units[u]);
    return buf;
}

static double seconds(vtime_t t)
{
    return (double)t / 1e9;
}

void report_test(struct run *r, size_t test)
{
    const struct test_result *res = &r->tests.results[test];
    progress_clear(r->progress);
    if (!r->o->quiet || !res->passed)
        fprintf(r->say, "%s %zu - %s (%.3fs virtual)\n", res->passed ? "ok" : "not ok", test + 1,
                r->topo->tests.items[test].name, seconds(res->duration));
    if (res->message)
        fprintf(r->say, "  %s\n", res->message);
    fflush(r->say);
}

static void report_time(const struct run *r)
{
    vtime_t now = r->network.sim.now;
    double host = (double)r->host_ns / 1e9;
    fprintf(r->say, "time     %.3f s virtual in %.2f s", seconds(now), host);
    if (host > 0 && now > 0) {
        double speed = seconds(now) / host;
        fprintf(r->say, " (%.*f times real time)", speed < 10 ? 3 : 0, speed);
    }
    fprintf(r->say, ", seed %llu\n", (unsigned long long)r->topo->seed);
}

/* Every port of the network, in order. */
static void ports_each(const struct run *r, void (*fn)(const struct port *p, void *opaque),
                       void *opaque)
{
    for (size_t i = 0; i < r->topo->objects.n; i++) {
        const struct topo_object *o = r->topo->objects.items[i];
        if (o->kind == TOPO_NIC && ((const struct topo_nic *)o)->port)
            fn(((const struct topo_nic *)o)->port, opaque);
        else if (o->kind == TOPO_PATCH)
            for (size_t end = 0; end < ARRAY_LEN(((const struct topo_patch *)o)->vlans); end++)
                fn(&((const struct topo_patch *)o)->built->ends[end], opaque);
        else if (topo_is_uplink(o) && !o->removed)
            for (const struct uplink_port *p = ((const struct topo_uplink *)o)->built->ports; p;
                 p = p->next)
                fn(&p->port, opaque);
    }
}

static void add_stats(const struct port *p, void *opaque)
{
    port_stats_add(opaque, &p->stats);
}

static void report_frames(const struct run *r)
{
    struct port_stats sum = r->network.sim.gone;
    char sent[32], received[32], dropped[32], bytes[32];
    ports_each(r, add_stats, &sum);
    fprintf(r->say, "frames   %s sent (%s), %s received, %s dropped\n",
            count_text(sum.tx_frames, sent, sizeof(sent)),
            units_format_size(sum.tx_bytes, bytes, sizeof(bytes)),
            count_text(sum.rx_frames, received, sizeof(received)),
            count_text(port_stats_dropped(&sum), dropped, sizeof(dropped)));
    for (int i = 0; i < DROP_KINDS; i++)
        if (sum.drops[i])
            fprintf(r->say, "         %s %s\n", count_text(sum.drops[i], dropped, sizeof(dropped)),
                    port_drop_names[i]);
}

static const char *power_text(struct machine *m, char *buf, size_t size)
{
    uint32_t code = 0;
    switch (machine_power_state(m, &code)) {
    case MACHINE_OFF: snprintf(buf, size, code ? "off, code %u" : "off", code); break;
    case MACHINE_FAILED: snprintf(buf, size, "failed, code %u", code); break;
    case MACHINE_WAITING: snprintf(buf, size, "never made"); break;
    default: snprintf(buf, size, "running");
    }
    return buf;
}

/* Sums over all guests, and how many have stopped. */
static void report_guests(const struct run *r)
{
    struct machine_stats sum = {0}, st;
    size_t n = r->topo->guests.n, off = 0, failed = 0;
    char instructions[32], own[32], host[32];
    for (size_t i = 0; i < n; i++) {
        struct machine *m = ((struct topo_guest *)r->topo->guests.items[i])->machine;
        uint32_t code;
        machine_stats(m, &st);
        sum.instructions += st.instructions;
        sum.private_bytes += st.private_bytes;
        sum.host_bytes += st.host_bytes;
        off += machine_power_state(m, &code) == MACHINE_OFF;
        failed += machine_power_state(m, &code) == MACHINE_FAILED;
    }
    fprintf(r->say, "guests   %zu, %s instructions (%.0f million a second of host time)\n", n,
            short_count(sum.instructions, instructions, sizeof(instructions)),
            r->host_ns ? (double)sum.instructions * 1e3 / (double)r->host_ns : 0.0);
    if (n)
        fprintf(r->say, "memory   %s a guest of its own (%s with tables and caches)\n",
                units_format_size(sum.private_bytes / n, own, sizeof(own)),
                units_format_size(sum.host_bytes / n, host, sizeof(host)));
    if (off + failed)
        fprintf(r->say, "         %zu of them stopped%s\n", off + failed,
                failed ? ", not all in order" : "");
}

/* What making clones took; and whose point was never reached. */
static void report_clones(const struct run *r)
{
    const struct clones *c = &r->clones;
    char bytes[32];
    if (c->n_made)
        fprintf(r->say, "guests   %zu of them are clones, made in %.2f ms and %s each\n", c->n_made,
                (double)c->host_ns / 1e6 / (double)c->n_made,
                units_format_size(c->host_bytes / c->n_made, bytes, sizeof(bytes)));
    for (size_t i = 0; i < c->points.n; i++) {
        const struct clone_point *p = c->points.items[i];
        if (!p->made)
            fprintf(r->say, "clones   %zu were never made: %s did not print \"%s\"\n", p->guests.n,
                    p->original->object.name, p->pattern);
    }
}

static void stats_row(const struct run *r, const char *name, const struct port_stats *s)
{
    fprintf(r->say, "  %-20s %10llu %12llu %10llu %12llu %8llu\n", name,
            (unsigned long long)s->tx_frames, (unsigned long long)s->tx_bytes,
            (unsigned long long)s->rx_frames, (unsigned long long)s->rx_bytes,
            (unsigned long long)port_stats_dropped(s));
    for (int i = 0; i < DROP_KINDS; i++)
        if (s->drops[i])
            fprintf(r->say, "    %s: %llu\n", port_drop_names[i], (unsigned long long)s->drops[i]);
}

static void stats_port(const struct port *p, void *opaque)
{
    stats_row(opaque, p->name, &p->stats);
}

/* Ports of peers that left and of uplinks that were removed, so that the columns add up. */
static void stats_gone(const struct run *r)
{
    const struct port_stats *gone = &r->network.sim.gone;
    if (gone->tx_frames + gone->rx_frames + port_stats_dropped(gone))
        stats_row(r, "(those that left)", gone);
}

/* How much was shared out, and what each thread did of it. */
static void report_threads(const struct run *r)
{
    const struct sim *s = &r->network.sim;
    fprintf(r->say, "threads: %u; %llu windows shared, VLANs %llu times", s->options.threads,
            (unsigned long long)s->stats.shared, (unsigned long long)s->stats.vlans_shared);
    for (unsigned i = 0; i < s->options.threads && s->stats.shared + s->stats.vlans_shared; i++)
        fprintf(r->say, "%s%.2f", i ? ", " : ", busy for ", (double)sim_thread_ns(s, i) / 1e9);
    fprintf(r->say, s->stats.shared + s->stats.vlans_shared ? " s\n" : "\n");
}

/* Where host time went, over all threads. */
static void report_host_time(const struct run *r)
{
    static const struct {
        enum host_time kind;
        const char *name;
    } rows[] = {
        {HOST_GUESTS, "guests"},   {HOST_TRANSLATE, "translation"}, {HOST_VLANS, "VLANs"},
        {HOST_CAPTURE, "capture"}, {HOST_WAIT, "waiting for threads"}, {HOST_IDLE, "idle"},
    };
    fprintf(r->say, "host:   ");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ns = host_time_sum(rows[i].kind);
        if (rows[i].kind == HOST_GUESTS)
            ns -= host_time_sum(HOST_TRANSLATE); /* which is done while they run */
        fprintf(r->say, "%s %s %.2f s", i ? "," : "", rows[i].name, (double)ns / 1e9);
    }
    fputc('\n', r->say);
}

/* What was translated, and how many guests use what was decoded. */
static void report_code(const struct run *r)
{
    struct translate_stats t;
    struct code_stats c = {0};
    char traces[32], insns[32], native[32], arena[32], blocks[32], pages[32], shared[32];
    translate_stats(&t);
    fprintf(r->say, "translator: %s traces of %s instructions, %s of machine code in %s\n",
            count_text(t.traces, traces, sizeof(traces)),
            count_text(t.instructions, insns, sizeof(insns)),
            units_format_size(t.native_bytes, native, sizeof(native)),
            units_format_size(t.arena_bytes, arena, sizeof(arena)));
    for (size_t i = 0; i < r->topo->guests.n; i++)
        code_stats_add(&c, machine_ram(((struct topo_guest *)r->topo->guests.items[i])->machine));
    code_stats_end(&c);
    fprintf(r->say,
            "code: %s blocks in %s pages, %s of them held by several guests (%.1f a page)\n",
            count_text(c.blocks, blocks, sizeof(blocks)),
            count_text(c.pages, pages, sizeof(pages)),
            count_text(c.shared, shared, sizeof(shared)),
            c.pages ? (double)c.held / (double)c.pages : 0.0);
    code_stats_finish(&c);
}

/* --stats: all counters, one table for each kind of object. */
static void report_stats(struct run *r)
{
    const struct sim_stats *s = &r->network.sim.stats;
    fprintf(r->say, "\nengine: %llu windows, %llu barriers, %llu actor runs, %llu frames\n",
            (unsigned long long)s->windows, (unsigned long long)s->barriers,
            (unsigned long long)s->actor_runs, (unsigned long long)s->frames);
    report_threads(r);
    report_host_time(r);
    report_code(r);
    fprintf(r->say, "\n  %-20s %10s %12s %10s %12s %8s\n", "port", "sent", "bytes", "received",
            "bytes", "dropped");
    ports_each(r, stats_port, r);
    stats_gone(r);
    fprintf(r->say, "\n  %-20s %10s %12s %10s %12s %8s\n", "vlan", "frames", "copies", "flooded",
            "filtered", "fdb full");
    for (size_t i = 0; i < r->topo->vlans.n; i++) {
        const struct vlan *v = ((struct topo_vlan *)r->topo->vlans.items[i])->built;
        fprintf(r->say, "  %-20s %10llu %12llu %10llu %12llu %8llu\n", v->name,
                (unsigned long long)v->stats.frames, (unsigned long long)v->stats.copies,
                (unsigned long long)v->stats.flooded, (unsigned long long)v->stats.filtered,
                (unsigned long long)v->stats.fdb_full);
    }
    fprintf(r->say, "\n  %-20s %14s %10s %12s %12s  %s\n", "guest", "instructions", "traps",
            "own memory", "host memory", "state");
    for (size_t i = 0; i < r->topo->guests.n; i++) {
        struct topo_guest *g = (struct topo_guest *)r->topo->guests.items[i];
        struct machine_stats st;
        char power[32];
        machine_stats(g->machine, &st);
        fprintf(r->say, "  %-20s %14llu %10llu %12llu %12llu  %s\n", g->object.name,
                (unsigned long long)st.instructions, (unsigned long long)st.traps,
                (unsigned long long)st.private_bytes, (unsigned long long)st.host_bytes,
                power_text(g->machine, power, sizeof(power)));
    }
}

static void report_files(const struct run *r)
{
    char n[32];
    for (size_t i = 0; i < r->topo->captures.n; i++) {
        const struct topo_capture *c = (struct topo_capture *)r->topo->captures.items[i];
        const char *path = c->object.name;
        fprintf(r->say, "capture  %s: %s packets\n",
                strcmp(path, "-") == 0 ? "standard output" : path,
                count_text(c->packets, n, sizeof(n)));
    }
    if (r->o->log)
        fprintf(r->say, "consoles %s/\n", r->o->log);
}

void report_end(struct run *r)
{
    size_t tests = r->topo->tests.n, failed = tests_failed(&r->tests);
    if (r->o->quiet)
        return;
    if (r->o->console_use == CONSOLE_TERMINAL)
        fputc('\n', r->say);
    if (tests && failed)
        fprintf(r->say, "\n%zu of %zu tests FAILED\n\n", failed, tests);
    else if (tests)
        fprintf(r->say, "\n%zu test%s passed\n\n", tests, tests == 1 ? "" : "s");
    report_time(r);
    report_frames(r);
    report_guests(r);
    report_clones(r);
    report_files(r);
    if (r->o->stats)
        report_stats(r);
    fflush(r->say);
}
