/* The progress line: virtual time, speed, guests awake and asleep, frames; on a terminal only. */
#include <time.h>
#include <unistd.h>

#include "sim/units.h"
#include "topo/run.h"

#define INTERVAL_MS 250

struct progress {
    struct run *run;
    uv_timer_t timer;
    uint64_t last_host; /* of the last line, for the present speed */
    vtime_t last_now;
    bool shown;
};

static void on_timer(uv_timer_t *timer)
{
    struct progress *p = timer->data;
    const struct sim *s = &p->run->network.sim;
    char now[32];
    uint64_t host = uv_hrtime();
    double speed = (double)(s->now - p->last_now) / (double)MAX(host - p->last_host, 1);
    fprintf(stderr,
            "\r\033[K%s virtual, %.*f times real time, guests %u awake %u asleep, %llu frames",
            units_format_time(s->now - s->now % NS_PER_MS, now, sizeof(now)), speed < 10 ? 2 : 0,
            speed, s->stats.n_awake,
            s->stats.n_actors > s->stats.n_awake ? s->stats.n_actors - s->stats.n_awake : 0,
            (unsigned long long)s->stats.frames);
    fflush(stderr);
    p->last_host = host;
    p->last_now = s->now;
    p->shown = true;
}

struct progress *progress_start(struct run *r)
{
    if (!r->o->progress || !isatty(STDERR_FILENO) || r->o->console_use == CONSOLE_TERMINAL)
        return NULL;
    struct progress *p = xcalloc(1, sizeof(*p));
    p->run = r;
    p->last_host = uv_hrtime();
    uv_timer_init(&r->network.sim.loop, &p->timer);
    p->timer.data = p;
    uv_timer_start(&p->timer, on_timer, INTERVAL_MS, INTERVAL_MS);
    return p;
}

void progress_clear(struct progress *p)
{
    if (p && p->shown)
        fputs("\r\033[K", stderr);
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

void progress_stop(struct progress *p)
{
    if (!p)
        return;
    progress_clear(p);
    uv_close((uv_handle_t *)&p->timer, on_closed);
}
