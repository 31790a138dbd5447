/*
 * A guest's console on standard input and output. A terminal is put into raw mode, so that
 * every key, ctrl-C too, is the guest's; ctrl-] leaves. Until a terminal or a pipe ends, virtual
 * time keeps to the host's; a file is read at once and time runs free.
 *
 * What is typed passes an inlet: it is recorded, and when a recording is played it comes from there
 * and standard input is left alone.
 */
#include <errno.h>
#include <termios.h>
#include <unistd.h>

#include "guests/machine.h"
#include "sim/inlet.h"
#include "topo/run.h"

#define LEAVE 0x1d /* ctrl-] */
#define OUT_BUFFER 4096
#define OUT_DELAY_MS 10 /* a line that has not ended is shown after so long */
#define RETRY_DELAY (10 * NS_PER_MS) /* virtual: when a console that was full is tried again */
#define PIECE 512                    /* bytes that are read, and given to the console, at once */

struct terminal {
    struct run *run;
    struct console *console;
    struct console_sink sink;
    struct inlet inlet;
    struct event retry;
    uv_poll_t in;
    uv_timer_t out_timer;
    bool polled;          /* `in` is open */
    bool ended;           /* nothing more comes in */
    bool was_paced;       /* before the terminal asked for it */
    uint8_t *pending;     /* read and not yet taken by the console */
    uint32_t first_pending, n_pending, cap_pending;
    uint8_t out[OUT_BUFFER];
    size_t n_out;
    bool broken; /* standard output */
};

static struct termios saved;
static volatile bool raw;

void terminal_restore(void)
{
    if (raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    raw = false;
}

static void terminal_raw(void)
{
    struct termios t;
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved) != 0)
        return;
    t = saved;
    t.c_iflag &= (tcflag_t) ~(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
    t.c_lflag &= (tcflag_t) ~(ECHO | ICANON | IEXTEN | ISIG);
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    raw = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
}

/* --- output --- */

static void out_flush(struct terminal *t)
{
    size_t done = 0;
    while (done < t->n_out && !t->broken) {
        ssize_t n = write(STDOUT_FILENO, t->out + done, t->n_out - done);
        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR && errno != EAGAIN)
            t->broken = true;
    }
    t->n_out = 0;
    if (t->broken && !err_any(&t->run->err)) {
        err_add(&t->run->err, "the console's output cannot be written: %s", strerror(errno));
        sim_stop(&t->run->network.sim);
    }
}

static void on_out_timer(uv_timer_t *timer)
{
    out_flush(timer->data);
}

static void on_bytes(struct console_sink *sink, vtime_t at, const uint8_t *p, size_t n)
{
    struct terminal *t = container_of(sink, struct terminal, sink);
    (void)at;
    for (size_t i = 0; i < n && !t->run->o->mute; i++) {
        t->out[t->n_out++] = p[i];
        if (p[i] == '\n' || t->n_out == OUT_BUFFER)
            out_flush(t);
    }
    if (t->n_out && !uv_is_active((uv_handle_t *)&t->out_timer))
        uv_timer_start(&t->out_timer, on_out_timer, OUT_DELAY_MS, 0);
}

/* --- input --- */

/* Gives the console what was read, as far as it has room. */
static void admit(struct inlet *in)
{
    struct terminal *t = container_of(in, struct terminal, inlet);
    struct sim *s = in->sim;
    while (t->n_pending) {
        const uint8_t *p = t->pending + t->first_pending;
        uint32_t n = MIN(t->n_pending, PIECE);
        if (!console_feed(t->console, p, n, s->now + CONSOLE_DELAY)) {
            sim_at(s, &t->retry, s->now + RETRY_DELAY);
            return;
        }
        inlet_note(in, INLET_CONSOLE, s->now, p, n);
        t->first_pending += n;
        t->n_pending -= n;
    }
    t->first_pending = 0;
}

static void play(struct inlet *in, uint8_t kind, vtime_t at, const uint8_t *p, size_t len)
{
    struct terminal *t = container_of(in, struct terminal, inlet);
    if (kind == INLET_CONSOLE)
        console_feed(t->console, p, len, at + CONSOLE_DELAY);
}

static const struct inlet_ops inlet_ops = {.admit = admit, .play = play};

static void on_retry(struct event *ev, vtime_t now)
{
    (void)now;
    inlet_poke(&container_of(ev, struct terminal, retry)->inlet);
}

/* Nothing more comes in. */
static void input_end(struct terminal *t)
{
    t->ended = true;
    if (t->polled) {
        uv_poll_stop(&t->in);
        t->run->network.sim.options.paced = t->was_paced;
    }
}

/* Reads once. False: nothing more to read now, or ever. */
static bool take_input(struct terminal *t)
{
    if (t->ended)
        return false;
    array_reserve(t->pending, &t->cap_pending, t->first_pending + t->n_pending + PIECE);
    uint8_t *p = t->pending + t->first_pending + t->n_pending;
    ssize_t n = read(STDIN_FILENO, p, PIECE);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        input_end(t);
        return false;
    }
    const uint8_t *leave = raw ? memchr(p, LEAVE, (size_t)n) : NULL;
    t->n_pending += leave ? (uint32_t)(leave - p) : (uint32_t)n;
    inlet_poke(&t->inlet);
    if (leave)
        sim_stop(&t->run->network.sim);
    return true;
}

static void on_readable(uv_poll_t *p, int status, int events)
{
    struct terminal *t = p->data;
    (void)status;
    (void)events;
    if (t->n_pending < CONSOLE_MAX_INPUT) /* or the guest has to read first */
        take_input(t);
}

bool terminal_is_used(const struct terminal *t)
{
    return t && raw && !t->ended;
}

bool terminal_wait(struct terminal *t)
{
    out_flush(t);
    if (t->ended || t->broken || signals_came() || !t->polled)
        return false;
    uv_run(&t->run->network.sim.loop, UV_RUN_ONCE);
    return !t->run->network.sim.stopping && !signals_came();
}

struct terminal *terminal_open(struct run *r, struct topo_guest *g)
{
    struct terminal *t = xcalloc(1, sizeof(*t));
    uv_loop_t *loop = &r->network.sim.loop;
    t->run = r;
    t->console = machine_console(g->machine, 0);
    t->sink.bytes = on_bytes;
    t->in.data = t->out_timer.data = t;
    console_add_sink(t->console, &t->sink);
    uv_timer_init(loop, &t->out_timer);
    inlet_init(&t->inlet, &inlet_ops, &r->network.sim);
    event_init(&r->network.sim.control, &t->retry, on_retry);
    if (inlet_played(&t->inlet)) {
        t->ended = true;
        return t;
    }
    terminal_raw();
    if (raw)
        fprintf(stderr, "lanarium: the console of %s; ctrl-] leaves\n", g->object.name);
    /* Files and /dev/null cannot be polled: they are read now, as far as the console takes them. */
    t->polled = uv_poll_init(loop, &t->in, STDIN_FILENO) == 0;
    if (t->polled) {
        uv_poll_start(&t->in, UV_READABLE, on_readable);
        t->was_paced = r->network.sim.options.paced;
        r->network.sim.options.paced = true; /* as long as someone may type, time is theirs */
    } else {
        while (take_input(t))
            ;
    }
    return t;
}

static void on_closed(uv_handle_t *h)
{
    (void)h;
}

void terminal_close(struct terminal *t)
{
    if (!t)
        return;
    uv_loop_t *loop = &t->run->network.sim.loop;
    out_flush(t);
    terminal_restore();
    console_remove_sink(t->console, &t->sink);
    inlet_finish(&t->inlet);
    evq_cancel(&t->run->network.sim.control, &t->retry);
    if (t->polled)
        uv_close((uv_handle_t *)&t->in, on_closed);
    uv_close((uv_handle_t *)&t->out_timer, on_closed);
    run_settle(loop);
    free(t->pending);
    free(t);
}
